"""What makes embeddings, tokens, refusals and bars right; one check for each task of the cases about texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.embedding.checks import TOLERANCE
from benchmarks.embedding.drift import one_minus_cosine
from benchmarks.embedding.given import file_of
from benchmarks.embedding.plain import Graph
from benchmarks.embedding.text_cases import split
from harness.case import Check

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEFAULT = 512
"""Coordinates of an embedding where none are asked for."""
LENGTH = 1e-5
"""By how much the Euclidean length of an embedding in float32 may differ from 1."""


def texts(inputs: Mapping[str, Any], known: Mapping[str, Any], answer: Mapping[str, Any]) -> Check:
    """``vectors`` (texts, dimension) float32 of length 1: each that of its text alone, in one full pass."""
    wrong, metrics = _vectors(inputs, known, answer)
    oracle = "one full pass by onnxruntime for each text alone"
    return Check(ok=not wrong, oracle=oracle, detail=wrong, exact=False, metrics=metrics)


def tokens(inputs: Mapping[str, Any], known: Mapping[str, Any], answer: Mapping[str, Any]) -> Check:
    """``tokens`` of all texts, ``lengths`` of each, and whether (1) each is ``flagged`` as read by characters."""
    right = [np.array(each, np.int64) for each in known["tokens"]]
    lengths = np.asarray(answer["lengths"], np.int64)
    whole = len(lengths) == len(right) and int(lengths.sum()) == len(answer["tokens"])
    found = split(np.asarray(answer["tokens"]), lengths) if whole else [np.empty(0, np.int64)] * len(right)
    differing = sum(
        abs(len(a) - len(b)) + int((a[: len(b)] != b[: len(a)]).sum()) for a, b in zip(found, right, strict=True)
    )
    flags = np.asarray(answer["flagged"])
    unflagged = len(right) if flags.shape != (len(right),) else int((flags != known["flagged"]).sum())
    wrong = f"{differing} tokens differ" if differing else ""
    if unflagged:
        wrong = "; ".join(filter(None, [wrong, f"{unflagged} results do not say what read them"]))
    return Check(
        ok=not wrong,
        oracle="tokens known beforehand",
        detail=wrong,
        metrics={
            "tokens_differing": {"value": float(differing), "unit": "tokens", "direction": "lower"},
            "unflagged_results": {"value": float(unflagged), "unit": "results", "direction": "lower"},
        },
        canonical={"tokens": np.asarray(answer["tokens"], np.int64), "lengths": lengths, "flagged": flags},
    )


def refusals(inputs: Mapping[str, Any], known: Mapping[str, Any], answer: Mapping[str, Any]) -> Check:
    """Which were ``refused`` (1) with an error of the embedder's own, and whether the session ``stands`` (1) after."""
    right = np.array(known["refused"])
    refused, stands = np.asarray(answer["refused"]), np.asarray(answer["stands"])
    if refused.shape != right.shape or stands.shape != right.shape:
        return Check(
            ok=False, oracle="what must be refused", detail=f"{refused.shape} answers to {len(right)} questions"
        )
    names = np.asarray(inputs["edges"])
    accepted, others = names[right > refused].tolist(), names[right < refused].tolist()
    fallen = names[stands == 0].tolist()
    reasons = [
        f"{what} {', '.join(which)}"
        for what, which in (("took", accepted), ("refused", others), ("did not stand after", fallen))
        if which
    ]
    return Check(
        ok=not reasons,
        oracle="what must be refused",
        detail="; ".join(reasons),
        metrics={
            "malformed_accepted": {"value": float(len(accepted)), "unit": "cases", "direction": "lower"},
            "presets_wrong": {"value": float(len(accepted) + len(others)), "unit": "presets", "direction": "lower"},
            "sessions_disturbed": {"value": float(len(fallen)), "unit": "sessions", "direction": "lower"},
        },
        canonical={"refused": refused.astype(np.int64), "stands": stands.astype(np.int64)},
    )


def topology(inputs: Mapping[str, Any], known: Mapping[str, Any], answer: Mapping[str, Any]) -> Check:
    """``vectors`` as in :func:`texts`, and ``bars_0``, ``bars_1`` of these very vectors by the textbook reduction."""
    from benchmarks.persistence import checks
    from benchmarks.persistence.inputs import rips

    wrong, metrics = _vectors(inputs, known, answer)
    cloud = {name: inputs[name] for name in ("threshold", "max_dimension")}
    cloud["points"] = np.asarray(answer["vectors"], np.float64)
    bars = {name: answer[name] for name in answer if name.startswith("bars_")}
    found = checks.rips(cloud, {"forest": checks.forest(rips(cloud))}, bars)
    total = sum(len(rows) for rows in found.canonical.values())
    return Check(
        ok=found.ok and not wrong,
        oracle=f"one full pass for each text alone; {found.oracle}",
        detail="; ".join(filter(None, [wrong, found.detail])),
        exact=False,
        canonical=found.canonical,
        metrics=metrics
        | {
            "bars": {"value": float(total), "unit": "bars", "direction": "higher"},
            "bars_wrong": {"value": float(not found.ok), "unit": "barcodes", "direction": "lower"},
        },
    )


def _vectors(
    inputs: Mapping[str, Any], known: Mapping[str, Any], answer: Mapping[str, Any]
) -> tuple[str, dict[str, Mapping[str, Any]]]:
    """What is wrong with the vectors of an answer, and the metrics."""
    found = np.asarray(answer["vectors"])
    right = alone(inputs)
    dimension = int(inputs["dimension"]) or DEFAULT
    form = found.dtype == np.float32 and found.shape == (len(right), dimension)
    errors = len(right)
    if form:
        lengths = np.linalg.norm(found.astype(np.float64), axis=1)
        errors = int((~(np.abs(lengths - 1) <= LENGTH)).sum())
    metrics: dict[str, Mapping[str, Any]] = {
        "dimension_errors": {"value": float(errors), "unit": "outputs", "direction": "lower"}
    }
    if errors:
        return (
            f"{errors} of {len(right)} vectors are no float32 ({dimension},) of length 1 ({found.dtype} {found.shape})",
            metrics,
        )
    off = one_minus_cosine(found, right[:, :dimension])
    metrics["one_minus_cosine"] = {"value": float(off.max()), "unit": "cosine distance", "direction": "lower"}
    tolerance = TOLERANCE[str(known["precision"])]
    if off.max() > tolerance:
        return f"1 - cosine {off.max():.2g} of text {int(off.argmax())}, above {tolerance:g}", metrics
    return "", metrics


def alone(inputs: Mapping[str, Any]) -> NDArray[np.float64]:
    """The last output (texts, width) of each text, from a pass of its own."""
    graph = Graph(file_of(inputs["model"]))
    parts = split(inputs["tokens"], inputs["lengths"])
    return np.stack([graph.run(each[None])[0][0, -1] for each in parts]).astype(np.float64)
