"""Models by name, made when they are first asked for and kept in a cache; all their weights are random.

A file is kept under a digest of what it was made from, so that a changed definition is made anew, and it takes its
name only when it is whole.
"""

from __future__ import annotations

import errno
import hashlib
import importlib.util
import os
import secrets
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from benchmarks.embedding.decoder import QWEN_05B, TINY, Shape, build
from benchmarks.embedding.hollow import build_hollow
from benchmarks.embedding.other_decoders import GPT2_TINY, Gpt2, build_gpt2
from harness import Unavailable
from harness.data.checksum import cache_folder
from harness.errors import DataError, UnknownName

VERSION = 1
"""Raise it whenever the code that makes models changes what they answer or how fast; all of them are made anew."""

PROVENANCE = "synthetic"
"""Of every model here: random weights. They bear no claim about the quality of embeddings."""

FOLDER = "TCS_MODELS"
"""The environment variable that names the folder of the models; by default they lie in the project's cache."""

_DISK = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the quota is used up", errno.EROFS: "it is read-only"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What a model is made from.

    Attributes:
        recipe: "decoder", "gpt2", "hollow", or how another one is quantised: "int8", "8bit", "int4".
        shape: sizes of a decoder, None where another one is quantised.
        options: arguments of the function that builds a decoder.
        source: name of the float32 model that is quantised.
        mib: about how much room it takes.
    """

    recipe: str
    shape: Shape | Gpt2 | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""
    mib: int = 4


def _decoders(size: str, shape: Shape, mib: int) -> dict[str, Model]:
    """One size in every precision and output that the suite asks for."""
    variants = {"f32": {}, "f16": {"dtype": "f16"}, "hidden-f32": {"output": "hidden"}, "both-f32": {"output": "both"}}
    made = {
        f"{size}-{name}": Model(recipe="decoder", shape=shape, options=options, mib=mib)
        for name, options in variants.items()
    }
    return made | {
        f"{size}-{output}{recipe}": Model(recipe=recipe, source=f"{size}-{output}f32", mib=mib)
        for output in ("", "hidden-")
        for recipe in ("int8", "8bit", "int4")
    }


MODELS: Mapping[str, Model] = MappingProxyType(
    {
        **_decoders("tiny", TINY, 4),
        "tiny-plain-f32": Model(recipe="decoder", shape=TINY, options={"attention": "plain"}),
        "tiny-gqa-f32": Model(recipe="decoder", shape=TINY, options={"attention": "gqa"}),
        **_decoders("full", QWEN_05B, 2048),
        "full-hollow": Model(recipe="hollow", shape=QWEN_05B),
        "gpt2-f32": Model(recipe="gpt2", shape=GPT2_TINY),
        "gpt2-counted-f32": Model(recipe="gpt2", shape=GPT2_TINY, options={"position_ids": False}),
    }
)
"""Every model by name. ``tiny`` is for tests, ``full`` has the sizes of Qwen2.5-Coder-0.5B and is for times,
``hollow`` does nothing but let a cache grow, ``gpt2`` is another architecture, ``counted`` has no ``position_ids``."""


def path_of(name: str) -> Path:
    """The file of a model, which is made first if it is not here; large ones take a minute and say so on stderr.

    Raises:
        UnknownName: no model has that name.
        Unavailable: the packages that make models are missing.
        DataError: it cannot be written.
    """
    if name not in MODELS:
        raise UnknownName("model", name, MODELS)
    given = os.environ.get(FOLDER, "")
    folder = Path(given) if given else cache_folder() / "models"
    place = folder / f"{name}-{digest(name)}"
    path = place / "model.onnx"
    if not path.is_file():
        _make(name, place)
    return path


def digest(name: str) -> str:
    """Twelve hex digits of everything that a model is made from."""
    model = MODELS[name]
    parts = [str(VERSION), model.recipe, repr(model.shape), repr(sorted(model.options.items()))]
    if model.source:
        parts.append(digest(model.source))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _make(name: str, place: Path) -> None:
    model = MODELS[name]
    for package, module in (("onnx", "onnx"), ("onnx-ir", "onnx_ir"), ("onnxruntime", "onnxruntime")):
        if importlib.util.find_spec(module) is None:
            raise Unavailable(f"model {name!r} is made with {package}, not installed; pip install 'tcs-harness[onnx]'")
    source = path_of(model.source) if model.source else None
    temporary = place.with_name(f".{name}-{secrets.token_hex(8)}.tmp")
    started = time.monotonic()
    if model.mib > 256:
        print(f"making the model {name} in {place}, about {model.mib} MiB ...", file=sys.stderr, flush=True)
    try:
        temporary.mkdir(parents=True)
        _write(model, source, temporary / "model.onnx")
        _take_name(temporary, place)
    except OSError as error:
        what = _DISK.get(error.errno or 0, error.strerror or str(error))
        raise DataError(
            f"the model {name!r} cannot be written to {place.parent}: {what}; it needs about {model.mib} MiB. "
            f"Make room, or name another folder in {FOLDER}"
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    if model.mib > 256:
        print(f"made {name} in {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)


def _write(model: Model, source: Path | None, path: Path) -> None:
    from benchmarks.embedding import quantised

    if model.recipe == "hollow":
        assert isinstance(model.shape, Shape)
        build_hollow(path, model.shape)
    elif isinstance(model.shape, Shape):
        build(path, model.shape, **model.options)
    elif model.shape is not None:
        build_gpt2(path, model.shape, **model.options)
    elif source is not None and model.recipe == "int8":
        quantised.dynamic_int8(source, path)
    elif source is not None:
        quantised.blockwise(source, path, bits={"8bit": 8, "int4": 4}[model.recipe])


def _take_name(temporary: Path, place: Path) -> None:
    """Give a whole folder its name, unless another process was first: what it made is the same."""
    try:
        temporary.rename(place)
    except OSError:
        if not (place / "model.onnx").is_file():
            raise
