"""What the graphs of known models look like: layers, heads and sizes, to hold a graph against."""

from __future__ import annotations

from dataclasses import dataclass

from tcs.embedder.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """The shape of a decoder.

    Attributes:
        layers: of the decoder, each with a key and a value in the cache.
        hidden: width of the hidden state. ``heads``: of queries; ``kv_heads``: of keys and values.
        head_size: width of one head. ``vocabulary``: rows of the embedding table.
        theta: base of the rotary angles. ``positions``: how many the model was trained on.
    """

    name: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_size: int
    vocabulary: int
    theta: float = 1e6
    positions: int = 32_768

    @property
    def inputs(self) -> int:
        """Inputs of its graph: tokens, mask and positions, and the cache."""
        return 3 + 2 * self.layers


# Qwen2.5-Coder technical report (Hui et al. 2024, arXiv:2409.12186), table 1, and the models' own config.json.
_QWEN = (
    Preset(name="qwen2.5-coder-0.5b", layers=24, hidden=896, heads=14, kv_heads=2, head_size=64, vocabulary=151_936),
    Preset(name="qwen2.5-coder-1.5b", layers=28, hidden=1536, heads=12, kv_heads=2, head_size=128, vocabulary=151_936),
    Preset(name="qwen2.5-coder-3b", layers=36, hidden=2048, heads=16, kv_heads=2, head_size=128, vocabulary=151_936),
    Preset(name="qwen2.5-coder-7b", layers=28, hidden=3584, heads=28, kv_heads=4, head_size=128, vocabulary=152_064),
    Preset(name="qwen2.5-coder-14b", layers=48, hidden=5120, heads=40, kv_heads=8, head_size=128, vocabulary=152_064),
)
PRESETS = {preset.name: preset for preset in _QWEN}
DEFAULT = _QWEN[0]


def preset_of(name: str) -> Preset:
    """The preset of this name.

    Raises:
        InputError: there is none.

    >>> preset_of("qwen2.5-coder-0.5b").inputs
    51
    """
    if name not in PRESETS:
        raise InputError(f"preset {name!r} is not one of {', '.join(PRESETS)}; None takes the graph as it is")
    return PRESETS[name]
