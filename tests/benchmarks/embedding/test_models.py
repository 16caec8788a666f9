"""Models are made once, whole or not at all, and anew when what they are made from changes."""

from __future__ import annotations

import errno
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.embedding import models
from benchmarks.embedding.models import FOLDER, MODELS, digest, path_of
from harness import Unavailable
from harness.errors import DataError, UnknownName


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of models."""
    monkeypatch.setenv(FOLDER, str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def tools() -> None:
    """What models are made with."""
    for name in ("onnx", "onnx_ir", "onnxruntime"):
        pytest.importorskip(name)


@pytest.mark.usefixtures("tools")
def test_every_small_model_is_made_and_runs(folder: Path) -> None:
    """By its name; and nothing but whole models is left in the folder."""
    from decoding import Decoder

    small = [name for name, model in MODELS.items() if model.mib < 100]
    for name in small:
        decoder = Decoder(path_of(name))
        step = decoder.run(np.arange(5))
        assert all(np.isfinite(values).all() for values in step.outputs.values()), name
        assert ("position_ids" in decoder.inputs) == MODELS[name].options.get("position_ids", True)
        if MODELS[name].recipe == "decoder":
            output = MODELS[name].options.get("output", "logits")
            assert ("last_hidden_state" in decoder.outputs) == (output in ("hidden", "both"))
            assert ("logits" in decoder.outputs) == (output in ("logits", "both"))
    assert sorted(place.name for place in folder.iterdir()) == sorted(f"{name}-{digest(name)}" for name in small)


@pytest.mark.usefixtures("tools", "folder")
def test_a_model_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second call finds it, even where nothing can be made any more; another version is made anew."""
    path = path_of("tiny-f32")
    bytes_before, state = path.read_bytes(), path.stat()
    with monkeypatch.context() as patch:
        patch.setattr(importlib.util, "find_spec", lambda _: None)
        assert path_of("tiny-f32") == path
    assert path.stat().st_mtime_ns == state.st_mtime_ns
    monkeypatch.setattr(models, "VERSION", models.VERSION + 1)
    again = path_of("tiny-f32")
    assert again != path
    assert again.read_bytes() == bytes_before


def test_digests_tell_models_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """No two share one; a quantised model changes with the model that it is made from."""
    digests = {name: digest(name) for name in MODELS}
    assert len(set(digests.values())) == len(MODELS)
    from dataclasses import replace

    changed = dict(MODELS) | {"tiny-f32": replace(MODELS["tiny-f32"], options={"seed": 1})}
    monkeypatch.setattr(models, "MODELS", changed)
    moved = {name for name in MODELS if digest(name) != digests[name]}
    assert moved == {name for name, model in MODELS.items() if name == "tiny-f32" or model.source == "tiny-f32"}
    assert {"tiny-f32", "tiny-int8", "tiny-8bit", "tiny-int4"} <= moved


def test_a_name_that_is_not_known() -> None:
    """Near misses are named."""
    with pytest.raises(UnknownName, match=r"no model is named 'tiny-f23'. Did you mean 'tiny-f32'"):
        path_of("tiny-f23")


@pytest.mark.usefixtures("folder")
def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """And how to install them."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(
        Unavailable, match=r"'tiny-f32' is made with onnx, not installed; pip install 'tcs-harness\[onnx\]'"
    ):
        path_of("tiny-f32")


@pytest.mark.usefixtures("tools")
def test_a_full_disk_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message has the folder, the room that is needed and the next step; what was begun is removed."""

    def fill(path: Path, *_: Any, **__: Any) -> None:
        path.write_bytes(b"begun")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(models, "build", fill)
    with pytest.raises(DataError, match=r"'tiny-f32' cannot be written to .*: the disk is full; .* 4 MiB.*TCS_MODELS"):
        path_of("tiny-f32")
    assert not list(folder.iterdir())


@pytest.mark.usefixtures("tools")
def test_two_makers_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one keeps what the first one made."""
    write = models._write
    place = folder / f"tiny-f32-{digest('tiny-f32')}"

    def late(model: models.Model, source: Path | None, path: Path) -> None:
        write(model, source, path)
        place.mkdir()
        (place / "model.onnx").write_bytes(b"of the first")

    monkeypatch.setattr(models, "_write", late)
    assert path_of("tiny-f32").read_bytes() == b"of the first"
    assert [one.name for one in folder.iterdir()] == [place.name]


def test_all_are_synthetic() -> None:
    """No model here bears a claim about quality."""
    assert models.PROVENANCE == "synthetic"
