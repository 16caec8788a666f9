"""What an embedder must refuse: graphs that give a wrong cache, texts that are none, presets that do not fit."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.embedding.decoder import TINY, Shape, build
from benchmarks.embedding.models import path_of
from harness.case import Stage, player

if TYPE_CHECKING:
    from tcs.embedder import Embedder

Edge = Callable[[Path], "tuple[bool, bool]"]
"""Given an empty folder: whether it was refused, and whether the session stands as it stood."""

QWEN = {
    f"qwen2.5-coder-{size}": Shape(
        layers=layers, hidden=hidden, heads=heads, kv_heads=kv_heads, head_size=head_size, ffn=0, vocabulary=0, theta=0
    )
    for size, layers, hidden, heads, kv_heads, head_size in (
        ("0.5b", 24, 896, 14, 2, 64),
        ("1.5b", 28, 1536, 12, 2, 128),
        ("3b", 36, 2048, 16, 2, 128),
        ("7b", 28, 3584, 28, 4, 128),
        ("14b", 48, 5120, 40, 8, 128),
    )
}
"""Sizes by the technical report (arXiv:2409.12186, table 1), written down apart from the embedder's own table."""
KNOWN = np.arange(1, 6)
LONGEST = 64


@player(
    name="tcs-embedder refusals",
    task="embedding.refusals",
    role="candidate",
    engine="tcs",
    packages={"onnxruntime": ">=1.22", "onnx": ">=1.18"},
    install="pip install -e '.[embedding,onnx]' -c constraints.txt",
    cite="tcs.embedder",
)
def refusals(inputs: Mapping[str, Any], stage: Stage) -> Callable[[], dict[str, Any]]:
    """tcs.embedder, on each edge in turn."""
    names = [str(name) for name in inputs["edges"]]

    def solve() -> dict[str, Any]:
        found = []
        with tempfile.TemporaryDirectory() as folder:
            for number, name in enumerate(names):
                place = Path(folder) / str(number)
                place.mkdir()
                preset, on, graph = name.partition(" on ")
                found.append(_preset(place, preset, QWEN[graph]) if on else EDGES[name][1](place))
        refused, stands = (np.array(each, np.int64) for each in zip(*found, strict=True))
        return {"refused": refused, "stands": stands}

    return solve


@player(
    name="control takes anything",
    task="embedding.refusals",
    engine="control",
    role="control",
    note="nothing is refused",
)
def takes_anything(inputs: Mapping[str, Any], stage: Stage) -> Callable[[], dict[str, Any]]:
    """Whatever comes is taken."""
    count = len(inputs["edges"])
    return lambda: {"refused": np.zeros(count, np.int64), "stands": np.ones(count, np.int64)}


def _preset(folder: Path, preset: str, shape: Shape) -> tuple[bool, bool]:
    """A preset on a graph that has the contract of another size and no weights."""
    from benchmarks.embedding.hollow import build_hollow
    from tcs.embedder import ContractError, Embedder

    build_hollow(folder / "model.onnx", shape)
    try:
        Embedder(folder / "model.onnx", preset=preset)
    except ContractError:
        return True, True
    return False, True


def _graph(fault: str) -> Edge:
    """A graph that gives a wrong cache: it is refused when it is opened, if its shapes tell, or on its first call."""

    def edge(folder: Path) -> tuple[bool, bool]:
        from tcs.embedder import CacheError, ContractError

        build(folder / "model.onnx", TINY, fault=fault)
        try:
            embedder = _embedder(folder / "model.onnx")
        except ContractError:
            return True, True
        try:
            embedder.embed(KNOWN)
        except CacheError:
            return True, embedder.context_length == 0
        return False, True

    return edge


def _missing_present(folder: Path) -> tuple[bool, bool]:
    """A graph without one of the outputs that must go on."""
    import onnx

    from tcs.embedder import ContractError

    build(folder / "whole.onnx", TINY)
    model = onnx.load(folder / "whole.onnx")
    outputs = model.graph.output
    outputs.remove(next(each for each in outputs if each.name == "present.2.value"))
    onnx.save(model, folder / "model.onnx")
    try:
        _embedder(folder / "model.onnx")
    except ContractError:
        return True, True
    return False, True


def _text(text: Any) -> Edge:
    """A text in the middle of a session, which must then go on as if it had not come."""

    def edge(folder: Path) -> tuple[bool, bool]:
        from tcs.embedder import InputError

        embedder, other = _embedder(path_of("tiny-f32")), _embedder(path_of("tiny-f32"))
        embedder.embed(KNOWN)
        other.embed(KNOWN)
        refused = False
        try:
            embedder.embed(text)
        except InputError:
            refused = True
        lengths = embedder.context_length == other.context_length
        return refused, lengths and bool((embedder.embed(KNOWN).vector == other.embed(KNOWN).vector).all())

    return edge


def _embedder(path: Path) -> Embedder:
    from tcs.embedder import Embedder

    return Embedder(path, preset=None, dimension=64, longest=LONGEST)


EDGES: Mapping[str, tuple[str, Edge]] = {
    **{
        fault: ("graphs", _graph(fault))
        for fault in ("truncated_present", "misshapen_present", "nan_present", "f16_overflow")
    },
    "missing_present": ("graphs", _missing_present),
    "empty text": ("texts", _text("")),
    "no ids": ("texts", _text(np.empty(0, np.int64))),
    "one token too many": ("texts", _text("x" * (LONGEST + 1))),
    "a megabyte": ("texts", _text("x" * 2**20)),
    "lone surrogate": ("texts", _text("a\ud800b")),
    "ids beyond the vocabulary": ("texts", _text(np.array([10**6]))),
    "negative ids": ("texts", _text(np.array([-1]))),
    "ids of two dimensions": ("texts", _text(np.ones((2, 2), np.int64))),
    "numbers that are no ids": ("texts", _text(np.ones(3))),
}
"""What must be refused by name: its kind, and how it is tried."""
