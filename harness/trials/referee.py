"""The referee's own process: make an instance's inputs, check an answer, draw one. Always the main interpreter.

Started as ``python -m harness.trials.referee JOB``; so a suite's code never runs in the parent, and a check that
needs much memory or time is held to limits like everything else.
"""

from __future__ import annotations

import inspect
import json
import math
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from harness import answers
from harness.case import Check, Problem
from harness.errors import DataMissing, HarnessError
from harness.files import write_text
from harness.trials.target import load


def main(job_file: str) -> int:
    """Do the job and write its result beside it; 0 whenever a result was written."""
    job = json.loads(Path(job_file).read_text())
    modes: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
        "prepare": prepare,
        "check": check,
        "picture": picture,
    }
    try:
        result = modes[job["mode"]](job)
    except DataMissing as error:
        result = {"failed": "data", "reason": str(error)}
    except HarnessError as error:
        result = {"failed": "error", "reason": str(error)}
    except Exception as error:  # noqa: BLE001 - the edge: a suite's code may raise anything
        import traceback

        traceback.print_exc()
        result = {"failed": "error", "reason": f"{type(error).__name__}: {error}"[:500]}
    write_text(Path(job["result"]), json.dumps(result))
    return 0


def prepare(job: Mapping[str, Any]) -> dict[str, Any]:
    """Call the case and write its inputs as ``.npy`` files; what is known goes to a file of its own."""
    import numpy

    function = load(job["target"], job["project"])
    arguments = {**job["params"], "seed": job["seed"]}
    takes = inspect.signature(function).parameters
    arguments |= {name: value for name, value in job["brought"].items() if name in takes}
    problem = function(**arguments)
    if not isinstance(problem, Problem):
        raise TypeError(f"{job['target']} returned {type(problem).__name__}, not a harness.Problem")
    folder = Path(job["folder"]) / "inputs"
    folder.mkdir()
    arrays, inputs = {}, {}
    for name, value in problem.inputs.items():
        if isinstance(value, numpy.ndarray):
            array = numpy.ascontiguousarray(value)
            numpy.save(folder / f"{name}.npy", array, allow_pickle=False)
            arrays[name] = array
            inputs[name] = {"npy": str(folder / f"{name}.npy"), "shape": list(array.shape), "dtype": array.dtype.str}
        else:
            inputs[name] = value.item() if isinstance(value, numpy.generic) else value
            arrays[name] = numpy.asarray(inputs[name])
            numpy.save(folder / f"{name}.npy", arrays[name], allow_pickle=False)
    write_text(folder.with_name("known.json"), json.dumps(dict(problem.known), allow_nan=False))
    return {
        "inputs": inputs,
        "data": {"inputs": answers.answer_digest(arrays), "provenance": problem.provenance, "sets": dict(problem.data)},
    }


def check(job: Mapping[str, Any]) -> dict[str, Any]:
    """Hold one answer against the case's oracle and keep its canonical form."""
    inputs = {name: _value(value) for name, value in job["inputs"].items()}
    known = json.loads(Path(job["known"]).read_text())
    folder = Path(job["folder"]).resolve()
    answer = {name: _answer(value, folder, name) for name, value in job["answer"].items()}
    found = load(job["check"], job["project"])(inputs, known, answer)
    if not isinstance(found, Check):
        raise TypeError(f"{job['check']} returned {type(found).__name__}, not a harness.Check")
    for name, metric in found.metrics.items():
        if not math.isfinite(metric["value"]):
            raise ValueError(f"the metric {name!r} of the check is {metric['value']}, which is no number to judge on")
    kept = answers.save(Path(job["answers"]), found.canonical) if found.canonical else None
    return {
        "check": {
            "oracle": found.oracle,
            "ok": bool(found.ok),
            "detail": found.detail,
            "distance": _finite(found.distance),
            "tolerance": _finite(found.tolerance),
            "exact": bool(found.exact),
            "answer": kept,
        },
        "metrics": {name: dict(metric) for name, metric in found.metrics.items()},
    }


def picture(job: Mapping[str, Any]) -> dict[str, Any]:
    """Draw a canonical answer as SVG and PNG."""
    import matplotlib

    matplotlib.use("Agg")
    figure = load(job["picture"], job["project"])(answers.load(Path(job["answer"])), job["title"])
    for ending in ("svg", "png"):
        figure.savefig(f"{job['stem']}.{ending}", dpi=150, transparent=True)
    return {}


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def _value(value: Any) -> Any:
    if isinstance(value, dict) and "npy" in value:
        import numpy

        return numpy.load(value["npy"], allow_pickle=False)
    return value


def _answer(value: Any, folder: Path, name: str) -> Any:
    """One array of an answer: a .npy file inside the job folder, or a JSON value."""
    import numpy

    if not isinstance(value, str):
        return numpy.asarray(value)
    path = (folder / value).resolve()
    if not path.is_relative_to(folder):
        raise ValueError(f"the answer's {name!r} names {value!r}, which is outside the job folder")
    return numpy.load(path, allow_pickle=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
