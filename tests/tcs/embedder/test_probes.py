"""What names do not tell is found by trying: sides of padding, and how keys turn with their positions."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from benchmarks.embedding.decoder import TINY, build
from embedders import KINDS, decoder, model
from tcs.embedder.errors import ContractError
from tcs.embedder.model import Model
from tcs.embedder.probes import rotary_layout, safe_paddings

if TYPE_CHECKING:
    from numpy.typing import NDArray

BOTH = {"left", "right"}


@pytest.mark.parametrize(
    ("name", "sides"),
    [
        ("tiny-f32", BOTH),
        ("tiny-plain-f32", BOTH),
        ("tiny-f16", BOTH),
        ("tiny-hidden-f32", BOTH),
        ("gpt2-f32", BOTH),
        ("tiny-gqa-f32", {"right"}),
        ("gpt2-counted-f32", {"right"}),
        ("tiny-int8", set()),
    ],
)
def test_which_padding_is_safe(name: str, sides: set[str]) -> None:
    """Plain attention takes both sides; GroupQueryAttention and counted positions the right one; dynamic int8 none."""
    assert safe_paddings(model(name)) == sides


def test_a_graph_that_ignores_its_mask(tmp_path: Path) -> None:
    """Padding on the right comes after all that is looked at; on the left it is seen, and the probe notices."""
    path = tmp_path / "model.onnx"
    build(path, TINY, fault="mask_ignored")
    assert safe_paddings(Model(path, preset=None, threads=1)) == {"right"}


class Keys:
    """A model of which only the first layer's key is known: complex numbers, turned by their position."""

    path = Path("made-up.onnx")

    def __init__(self, layout: str, theta: float, turned: int = 4) -> None:
        self.contract = SimpleNamespace(positions=True, present=("key",))
        self.layout, self.theta, self.turned = layout, theta, turned

    def feeds(self, tokens: NDArray[np.int64], positions: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        return {"input_ids": tokens, "position_ids": positions}

    def run(self, name: str, feeds: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
        assert name == "key"
        angles = feeds["position_ids"][0, 0] * self.theta ** -(np.arange(4) / 4)
        angles[self.turned :] = 0
        planes = (np.arange(1, 9) + 1j * np.arange(8, 0, -1)).reshape(2, 1, 4) * np.exp(1j * angles)
        parts = [planes.real, planes.imag]
        keys = np.concatenate(parts, -1) if self.layout == "halves" else np.stack(parts, -1).reshape(2, 1, 8)
        return keys[None].astype(np.float32)


@pytest.mark.parametrize("layout", ["halves", "pairs"])
@pytest.mark.parametrize("theta", [1e4, 1e6])
def test_both_layouts_are_found(layout: str, theta: float) -> None:
    """Planes half a head apart, and planes side by side."""
    made: Any = Keys(layout, theta)
    assert rotary_layout(made, theta) == layout


@pytest.mark.parametrize("kind", [*KINDS, "tiny-f16"])
def test_real_graphs_turn_in_halves(kind: str) -> None:
    """Qwen's layout, whatever writes the attention."""
    assert rotary_layout(model(kind), TINY.theta) == "halves"


@pytest.mark.parametrize("theta", [1.0, 9e3, 1.1e4, 1e6])
def test_a_wrong_base_is_refused(theta: float) -> None:
    """A base that is off by a tenth would drift with every turn: it is told apart, and by how much it is off."""
    with pytest.raises(ContractError, match=rf"as rotary ones of base {re.escape(f'{theta:g}')} do \(off by \d"):
        rotary_layout(model(), theta)
    made: Any = Keys("pairs", 1e4)
    with pytest.raises(ContractError, match=r"off by \d"):
        rotary_layout(made, theta)


@pytest.mark.parametrize("turned", [0, 2, 3])
def test_keys_that_turn_in_part_or_not_at_all_are_refused(turned: int) -> None:
    """Partial rotary heads and keys that do not know their position cannot be turned back as a whole."""
    made: Any = Keys("halves", 1e4, turned)
    with pytest.raises(ContractError, match=r"the keys of made-up.onnx do not turn"):
        rotary_layout(made, 1e4)


def test_other_positions_than_rotary_ones_are_refused() -> None:
    """Learned positions end where their table does; without position_ids nothing can be turned at all."""
    with pytest.raises(ContractError, match=r"the keys of model.onnx are not rotary, for its positions end: .*idx=10"):
        decoder("gpt2-f32", policy="re-rotated", theta=1e4)
    with pytest.raises(ContractError, match=r"model.onnx takes no position_ids, so its keys cannot be turned back"):
        decoder("gpt2-counted-f32", policy="re-rotated", theta=1e4)
