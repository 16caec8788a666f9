"""The child that plays one trial: set up, warm, measure, and write what it found; it judges nothing.

Started as a script by the runner, possibly with an interpreter of the player's own. Until the player's
module is imported it imports nothing but the standard library and the light part of this package, which it
adopts from beside itself, so that no package of the main environment leaks into the other one.

The job folder it reads and writes is the file protocol that external commands speak, too: see
docs/reference/protocol.md.
"""

from __future__ import annotations

import errno
import importlib.util
import json
import mmap
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

PROTOCOL = 1
DIARY = "diary"
"""When the last call began, in seconds of the machine's monotonic clock: what is known of a killed process."""
DISK = (errno.ENOSPC, errno.EROFS, errno.EDQUOT)


def main(job_file: str) -> int:
    """Play the job; the exit status is 0 whenever a result was written."""
    start = time.perf_counter()
    _adopt_harness()
    job = json.loads(Path(job_file).read_text())
    try:
        result = _play(job, Path(job_file).parent, start)
    except BaseException as error:  # noqa: BLE001 - the edge: whatever a player does becomes a record
        result = _failure(error)
    result["protocol"] = PROTOCOL
    temporary = Path(job["result"] + ".part")
    temporary.write_text(json.dumps(result))
    os.replace(temporary, job["result"])
    return 0


def _play(job: Mapping[str, Any], folder: Path, start: float) -> dict[str, Any]:
    from harness.trials.beside import of_the_player, on_the_gpu
    from harness.trials.clock import Stages, clock_for, sample
    from harness.trials.target import load

    setup: Callable[..., Callable[[], Mapping[str, Any]]] = load(job["target"], job["project"])
    inputs = _inputs(job)
    before = _fingerprint(inputs)
    clock = clock_for(job["device"])
    stages = Stages(clock)
    solve = setup(inputs, stages)
    ready = time.perf_counter() - start
    memory_before = _status_bytes("VmRSS")
    answers: dict[str, Mapping[str, Any]] = {}
    (folder / DIARY).write_bytes(b" " * 31 + b"\n")
    with (folder / DIARY).open("r+b") as file:
        page = mmap.mmap(file.fileno(), 32)

    def starting() -> None:
        # Through shared memory: a system call before each call made a loop of 6 ms read 5 % longer.
        page[:31] = f"{time.monotonic():<31.9f}".encode()

    def seen(answer: Any) -> None:
        _require_finished(answer)
        answers.setdefault(_fingerprint(answer), answer)

    with on_the_gpu(clock) as readings:
        found = sample(solve, job["sampling"], clock=clock, stages=stages, starting=starting, seen=seen)
    peak, device_peak = _status_bytes("VmHWM"), _device_peak(job)
    if _fingerprint(inputs) != before:
        raise ValueError("the player changed its inputs, so later calls answered another problem; let it copy them")
    return {
        "status": "ok",
        "version": _version(job),
        "samples": found.samples,
        "warmup": found.warmup,
        "cpu": found.cpu,
        "stages": found.stages,
        "number": found.number,
        "cold": found.cold,
        "clock": clock.name,
        "setup": ready,
        "repeatable": len(answers) == 1 if len(found.samples) + len(found.warmup) > 1 else None,
        "memory": {
            "host_peak": peak,
            "host_before": memory_before,
            "host_source": "VmHWM",
            "device_peak": device_peak,
        },
        "metrics": {**readings, **of_the_player(solve)},
        "answers": [_save(answer, folder, index) for index, answer in enumerate(answers.values())],
        "fingerprints": list(answers),
    }


def _failure(error: BaseException) -> dict[str, Any]:
    from harness.errors import Unavailable

    if isinstance(error, Unavailable):
        return {"status": "unavailable", "reason": str(error)}
    traceback.print_exc()
    if isinstance(error, OSError) and error.errno in DISK:
        return {"status": "error", "reason": f"{error}", "disk": True}
    if isinstance(error, MemoryError):
        return {"status": "memory", "reason": f"out of memory: {error}" if str(error) else "out of memory"}
    if isinstance(error, ModuleNotFoundError):
        return {"status": "unavailable", "reason": f"{error}; install it in {sys.executable}"}
    return {"status": "error", "reason": f"{type(error).__name__}: {error}"[:500]}


def _inputs(job: Mapping[str, Any]) -> dict[str, Any]:
    inputs: dict[str, Any] = {"threads": job["threads"]}
    for name, value in job["inputs"].items():
        if isinstance(value, dict) and "npy" in value:
            import numpy

            inputs[name] = numpy.load(value["npy"], allow_pickle=False)
        else:
            inputs[name] = value
    return inputs


def _save(answer: Mapping[str, Any], folder: Path, index: int) -> dict[str, str]:
    import numpy

    target = folder / "answer" / str(index)
    target.mkdir(parents=True)
    for name, values in answer.items():
        numpy.save(target / f"{name}.npy", numpy.asarray(values), allow_pickle=False)
    return {name: f"answer/{index}/{name}.npy" for name in answer}


def _require_finished(answer: Any) -> None:
    """An answer is done when solve returns: a lazy object would be computed later, outside the timed call."""
    if not isinstance(answer, Mapping):
        raise TypeError(f"an answer is a mapping from name to array, not {type(answer).__name__}")
    for name, value in answer.items():
        numpy = sys.modules.get("numpy")
        if not (isinstance(value, int | float) or (numpy and isinstance(value, numpy.ndarray | numpy.generic))):
            raise TypeError(
                f"the answer's {name!r} is a {type(value).__name__}; solve must return finished numpy arrays"
            )


def _fingerprint(arrays: Mapping[str, Any]) -> str:
    import hashlib

    total = hashlib.sha256()
    for name in sorted(arrays):
        value = arrays[name]
        if hasattr(value, "tobytes") and hasattr(value, "dtype"):
            total.update(f"{name}|{value.dtype}|{value.shape}|".encode())
            contiguous = value.flags.c_contiguous and value.size
            total.update(memoryview(value).cast("B") if contiguous else value.tobytes())
        else:
            total.update(f"{name}|{value!r}|".encode())
    return total.hexdigest()


def _status_bytes(name: str) -> int:
    """A field of /proc/self/status in bytes: ru_maxrss would report the parent's peak, this does not."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return 0


def _device_peak(job: Mapping[str, Any]) -> int | None:
    """Bytes that torch has held at most, or that the pool of cupy has taken; None without either."""
    torch, cupy = sys.modules.get("torch"), sys.modules.get("cupy")
    if job["device"] != "cuda":
        return None
    held = int(torch.cuda.max_memory_allocated()) if torch else 0
    taken = int(cupy.get_default_memory_pool().total_bytes()) if cupy else 0
    return held + taken if torch or cupy else None


def _version(job: Mapping[str, Any]) -> str:
    from importlib import metadata

    found = []
    for package in job["packages"]:
        try:
            found.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            found.append(f"{package} ?")
    return ", ".join(found)


def _adopt_harness() -> None:
    here = Path(__file__).resolve().parents[1]
    beside = str(Path(__file__).resolve().parent)
    sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry or ".") != beside]
    if "harness" in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(
        "harness", here / "__init__.py", submodule_search_locations=[str(here)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["harness"] = module
    spec.loader.exec_module(module)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
