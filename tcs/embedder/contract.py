"""What a graph takes and gives, found by looking at it: names, types, layers, heads, and what it is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from tcs.embedder.errors import ContractError

if TYPE_CHECKING:
    from tcs.embedder.presets import Preset

TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
TOKENS, MASK, POSITIONS = "input_ids", "attention_mask", "position_ids"
# Inputs of some exports that are always the same here: the branch with a cache, and outputs for all tokens.
CONSTANTS = {"use_cache_branch": np.ones(1, bool), "num_logits_to_keep": np.array(0, np.int64)}
# Outputs that can be embedded, the first that there is.
OUTPUTS = ("last_hidden_state", "hidden_states", "logits")


class Argument(Protocol):
    """An input or output of a graph, as onnxruntime describes it."""

    name: str
    type: str
    shape: Sequence[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What a decoder's graph takes and gives.

    Attributes:
        past, present: names of the cache's inputs and outputs, key and value in turn, layer after layer.
        layers, kv_heads, head_size: of the cache, whose tensors are (batch, kv_heads, length, head_size).
        cache_type: of the cache, float32 or float16.
        output: name of what is embedded, (batch, tokens, width). ``output_type``: likewise.
        width: of the output, None where the graph leaves it open.
        positions: whether it takes ``position_ids``. ``mask``: whether it takes ``attention_mask``.
        constants: names of inputs that are always the same.
        inputs: how many there are.
    """

    past: tuple[str, ...]
    present: tuple[str, ...]
    layers: int
    kv_heads: int
    head_size: int
    cache_type: Any
    output: str
    output_type: Any
    width: int | None
    positions: bool
    mask: bool
    constants: tuple[str, ...]
    inputs: int

    @property
    def token_bytes(self) -> int:
        """Bytes of the cache for one token."""
        return 2 * self.layers * self.kv_heads * self.head_size * int(np.dtype(self.cache_type).itemsize)

    def describe(self) -> str:
        """One line for people."""
        kind = "logits" if self.output == "logits" else "hidden state"
        return (
            f"{self.inputs} inputs, {self.layers} layers, {self.kv_heads} key/value heads of {self.head_size}, cache "
            f"in {np.dtype(self.cache_type).name}, {kind} {self.output!r} of width {self.width or 'unknown'}, "
            f"{'with' if self.positions else 'without'} {POSITIONS}"
        )


def contract_of(inputs: Sequence[Argument], outputs: Sequence[Argument]) -> Contract:
    """The contract of a graph with these inputs and outputs.

    Raises:
        ContractError: it is no decoder with a cache that can be fed; the message lists everything that is wrong.
    """
    by_name = {each.name: each for each in inputs}
    past, present = _cache(inputs, "past"), _cache(outputs, "present")
    wrong = [] if TOKENS in by_name else [f"no input {TOKENS!r}"]
    if not past:
        wrong.append("no inputs for past keys and values, such as 'past_key_values.0.key'")
    for key in sorted(past.keys() - present.keys()):
        wrong.append(f"{past[key].name!r} has no output to go on with, such as 'present.{key[0]}.{key[1]}'")
    for key in sorted(present.keys() - past.keys()):
        wrong.append(f"the output {present[key].name!r} has no input that takes it")
    layers = 1 + max((layer for layer, _ in past), default=-1)
    for layer in range(layers):
        wrong += [f"layer {layer} has no past {part}" for part in ("key", "value") if (layer, part) not in past]
    known = {TOKENS, MASK, POSITIONS, *CONSTANTS, *(each.name for each in past.values())}
    wrong += [f"an input {name!r} that this embedder does not know" for name in by_name if name not in known]
    for name in (TOKENS, MASK, POSITIONS):
        if name in by_name:
            wrong += _wrong_row(by_name[name])
    shapes = [shape for each in past.values() if (shape := _shape(each, wrong))]
    if len(set(shapes)) > 1:
        wrong.append(f"the tensors of the cache differ: {_differences(list(past.values()))}")
    for key in sorted(past.keys() & present.keys()):
        wrong += _wrong_present(past[key], present[key])
    found = _output(outputs, present)
    wrong += _wrong_output(found)
    if wrong or found is None:
        raise ContractError("the graph is no decoder with a cache that can be used: " + "; ".join(wrong))
    kind, heads, size = shapes[0]
    order = [(layer, part) for layer in range(layers) for part in ("key", "value")]
    width = found.shape[-1]
    return Contract(
        past=tuple(past[key].name for key in order),
        present=tuple(present[key].name for key in order),
        layers=layers,
        kv_heads=heads,
        head_size=size,
        cache_type=TYPES[kind],
        output=found.name,
        output_type=TYPES[found.type],
        width=width if isinstance(width, int) else None,
        positions=POSITIONS in by_name,
        mask=MASK in by_name,
        constants=tuple(name for name in CONSTANTS if name in by_name),
        inputs=len(inputs),
    )


def mismatches(contract: Contract, preset: Preset) -> list[str]:
    """How a graph differs from a preset, a sentence each; empty if it does not."""
    found = []
    if contract.inputs != preset.inputs or not contract.positions:
        lacks = "" if contract.positions else f", and no {POSITIONS!r}"
        found.append(f"it has {contract.inputs} inputs instead of {preset.inputs}{lacks}")
    if contract.layers != preset.layers:
        found.append(f"its cache has {contract.layers} layers instead of {preset.layers}")
    first = contract.past[0]
    if contract.kv_heads != preset.kv_heads:
        found.append(f"{first!r} has {contract.kv_heads} heads (dimension 1) instead of {preset.kv_heads}")
    if contract.head_size != preset.head_size:
        found.append(f"{first!r} has heads of {contract.head_size} (dimension 3) instead of {preset.head_size}")
    right = preset.vocabulary if contract.output == "logits" else preset.hidden
    if contract.width not in (None, right):
        found.append(f"{contract.output!r} has width {contract.width} instead of {right}")
    return found


def _cache(arguments: Sequence[Argument], side: str) -> dict[tuple[int, str], Argument]:
    """Tensors of the cache by layer and part, whatever the exporter calls them."""
    found = {}
    for each in arguments:
        layer, part = re.search(r"\d+", each.name), re.search(r"key(?!_values)|(?<!key_)value", each.name)
        if side in each.name and layer and part:
            found[int(layer[0]), part[0]] = each
    return found


def _wrong_row(each: Argument) -> Iterator[str]:
    """Why an input cannot take a whole number for each token, (batch, length)."""
    if each.type != "tensor(int64)":
        yield f"{each.name!r} is {each.type}, not tensor(int64)"
    if len(each.shape) != 2:
        yield f"{each.name!r} has {len(each.shape)} dimensions, not (batch, length)"
    elif isinstance(each.shape[1], int):
        yield f"{each.name!r} has a fixed length of {each.shape[1]}; a session feeds one token or many"


def _wrong_present(past: Argument, present: Argument) -> Iterator[str]:
    """How an output cannot be the input that it goes on with; a dimension that it leaves open can be anything."""
    pairs = zip(past.shape, present.shape, strict=False)
    fits = len(past.shape) == len(present.shape) and all(a == b for a, b in pairs if {type(a), type(b)} == {int})
    if past.type != present.type or not fits or isinstance(present.shape[2], int):
        yield (
            f"{present.name!r} is {present.type} {list(present.shape)}, which cannot go on as {past.name!r}, "
            f"{past.type} {list(past.shape)}"
        )


def _wrong_output(each: Argument | None) -> Iterator[str]:
    """Why an output cannot be embedded."""
    if each is None:
        yield f"no output to embed: none of {', '.join(OUTPUTS)}, nor one other of three dimensions"
        return
    if each.type not in TYPES:
        yield f"the output {each.name!r} is {each.type}, neither float nor float16"
    if len(each.shape) != 3:
        yield f"the output {each.name!r} is {list(each.shape)}, not (batch, tokens, width)"


def _shape(each: Argument, wrong: list[str]) -> tuple[str, int, int] | None:
    """Type, heads and size of a head; None, with the reason, for what cannot be the past."""
    if each.type not in TYPES:
        wrong.append(f"{each.name!r} is {each.type}, neither float nor float16")
    elif len(each.shape) != 4:
        wrong.append(f"{each.name!r} has {len(each.shape)} dimensions, not (batch, heads, length, head size)")
    elif not (isinstance(each.shape[1], int) and isinstance(each.shape[3], int)):
        wrong.append(
            f"{each.name!r} leaves its heads or their size open: {list(each.shape)}; export it with fixed ones"
        )
    elif isinstance(each.shape[2], int):
        wrong.append(f"{each.name!r} has a fixed length of {each.shape[2]}; a cache must be free to grow")
    else:
        return each.type, each.shape[1], each.shape[3]
    return None


def _differences(arguments: list[Argument]) -> str:
    first = arguments[0]
    other = next(each for each in arguments if (each.type, each.shape[1::2]) != (first.type, first.shape[1::2]))
    return f"{first.name!r} is {first.type} {list(first.shape)}, {other.name!r} is {other.type} {list(other.shape)}"


def _output(outputs: Sequence[Argument], present: dict[tuple[int, str], Argument]) -> Argument | None:
    """What is embedded: the hidden state if there is one, else the logits, else the one output that is left."""
    by_name = {each.name: each for each in outputs}
    for name in OUTPUTS:
        if name in by_name:
            return by_name[name]
    cache = {each.name for each in present.values()}
    others = [each for each in outputs if each.name not in cache and len(each.shape) == 3]
    return others[0] if len(others) == 1 else None
