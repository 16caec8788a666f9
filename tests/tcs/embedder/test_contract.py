"""A contract is found by names and shapes alone, and everything that is wrong with a graph is said at once."""

from __future__ import annotations

import itertools
import random
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from benchmarks.embedding.decoder import TINY, build
from embedders import Argument, model
from tcs.embedder.contract import Contract, contract_of, mismatches
from tcs.embedder.errors import ContractError
from tcs.embedder.model import Model
from tcs.embedder.presets import DEFAULT, Preset

LAYERS, HEADS, SIZE, WIDTH = 2, 3, 8, 40
Graph = tuple[list[Argument], list[Argument]]
PRESET = Preset(
    name="small", layers=LAYERS, hidden=24, heads=3, kv_heads=HEADS, head_size=SIZE, vocabulary=WIDTH, positions=99
)  # fmt: skip


def graph(past: str = "past_key_values.{}.{}", present: str = "present.{}.{}", kind: str = "tensor(float)") -> Graph:
    """A right one, whose parts a test spoils."""
    slots = list(itertools.product(range(LAYERS), ("key", "value")))
    rows = [Argument(name, "tensor(int64)", ["b", "t"]) for name in ("input_ids", "attention_mask", "position_ids")]
    inputs = [Argument(past.format(*slot), kind, ["b", HEADS, "past", SIZE]) for slot in slots]
    outputs = [Argument(present.format(*slot), kind, ["b", HEADS, "total", SIZE]) for slot in slots]
    return [*rows, *inputs], [Argument("logits", kind, ["b", "t", WIDTH]), *outputs]


def named(arguments: list[Argument], name: str) -> Argument:
    return next(each for each in arguments if each.name == name)


def wrong(inputs: list[Argument], outputs: list[Argument]) -> str:
    with pytest.raises(ContractError) as raised:
        contract_of(inputs, outputs)
    return str(raised.value)


@pytest.mark.parametrize("seed", range(5))
def test_any_order_is_the_same_contract(seed: int) -> None:
    """Names say what goes where: an exporter may order inputs and outputs as it likes."""
    inputs, outputs = graph()
    right = contract_of(inputs, outputs)
    random.Random(seed).shuffle(inputs)
    random.Random(seed + 1).shuffle(outputs)
    assert contract_of(inputs, outputs) == right
    assert right.past == tuple(f"past_key_values.{i}.{part}" for i in (0, 1) for part in ("key", "value"))
    assert right.present == tuple(f"present.{i}.{part}" for i in (0, 1) for part in ("key", "value"))


@pytest.mark.parametrize(
    ("past", "present"),
    [
        ("past_key_values.{}.{}", "present.{}.{}"),
        ("past_key_values_{}_{}", "present_key_values_{}_{}"),
        ("past_key_values.{}.decoder.{}", "present.{}.decoder.{}"),
        ("past_{1}_{0}", "present_{1}_{0}"),
        ("past_{1}s.{0}", "present_{1}s.{0}"),
    ],
)
def test_names_of_several_exporters(past: str, present: str) -> None:
    """Whatever they are called, keys and values stay apart and layers in order."""
    found = contract_of(*graph(past, present))
    slots = list(itertools.product(range(LAYERS), ("key", "value")))
    assert found.past == tuple(past.format(*slot) for slot in slots)
    assert found.present == tuple(present.format(*slot) for slot in slots)


def test_more_than_ten_layers_are_in_the_order_of_numbers() -> None:
    """Layer 10 comes after layer 9, not after layer 1."""
    inputs, outputs = graph()
    for i in range(LAYERS, 12):
        inputs += [replace(each, name=each.name.replace(".0.", f".{i}.")) for each in inputs[3:5]]
        outputs += [replace(each, name=each.name.replace(".0.", f".{i}.")) for each in outputs[1:3]]
    assert contract_of(inputs, outputs).past[::2] == tuple(f"past_key_values.{i}.key" for i in range(12))


@pytest.mark.parametrize("order", ["paired", "keys_first"])
@pytest.mark.parametrize("position_ids", [True, False])
@pytest.mark.parametrize(("dtype", "cache"), [("f32", "f32"), ("f16", "f16"), ("f32", "f16")])
def test_files_as_onnxruntime_describes_them(
    tmp_path: Path, order: str, position_ids: bool, dtype: str, cache: str
) -> None:
    """Real graphs of every order, with and without positions, with caches of either type."""
    kinds = {"f32": np.float32, "f16": np.float16}
    path = tmp_path / "model.onnx"
    build(path, replace(TINY, layers=1), dtype=dtype, cache_dtype=cache, order=order, position_ids=position_ids)
    assert Model(path, preset=None).contract == Contract(
        past=("past_key_values.0.key", "past_key_values.0.value"), present=("present.0.key", "present.0.value"),
        layers=1, kv_heads=2, head_size=16, cache_type=kinds[cache], output="logits", output_type=kinds[dtype],
        width=320, positions=position_ids, mask=True, constants=(), inputs=4 + position_ids,
    )  # fmt: skip


def test_the_hidden_state_comes_before_logits() -> None:
    """A graph that gives both is embedded by its hidden state; one with neither name by the only output left."""
    assert model("tiny-both-f32").contract.output == "last_hidden_state"
    assert model("tiny-hidden-f32").contract.width == TINY.hidden
    assert model("tiny-f32").contract.output == "logits"
    inputs, outputs = graph()
    outputs[0].name = "states"
    assert contract_of(inputs, outputs).output == "states"
    outputs.append(Argument("others", shape=["b", "t", 4]))
    assert "no output to embed: none of last_hidden_state, hidden_states, logits, nor" in wrong(inputs, outputs)


def test_an_open_width_is_unknown() -> None:
    """Where the graph leaves the width of its output open, so does the contract."""
    inputs, outputs = graph()
    outputs[0].shape = ["b", "t", "width"]
    found = contract_of(inputs, outputs)
    assert found.width is None
    assert "width unknown" in found.describe()


def test_inputs_that_never_change_are_known() -> None:
    """A branch with a cache and a number of logits are fed as constants; a graph may do without mask and positions."""
    inputs, outputs = graph()
    constants = [Argument("num_logits_to_keep", "tensor(int64)"), Argument("use_cache_branch", "tensor(bool)", [1])]
    found = contract_of([inputs[0], *constants, *inputs[3:]], outputs)
    assert set(found.constants) == {"num_logits_to_keep", "use_cache_branch"}
    assert (found.mask, found.positions, found.inputs) == (False, False, 7)


def test_what_it_says_of_itself() -> None:
    """A line for people, and bytes of a token: 2 tensors x 2 layers x 3 heads x 8 numbers x 2 bytes."""
    found = contract_of(*graph(kind="tensor(float16)"))
    assert found.describe() == (
        "7 inputs, 2 layers, 3 key/value heads of 8, cache in float16, logits 'logits' of width 40, with position_ids"
    )
    assert found.token_bytes == 2 * 2 * 3 * 8 * 2


def test_outputs_may_leave_open_what_the_inputs_fix() -> None:
    """Shapes of present tensors are often not inferred: those of the past decide."""
    inputs, outputs = graph()
    for each in outputs[1:]:
        each.shape = ["b", "heads", "total", "size"]
    assert contract_of(inputs, outputs) == contract_of(*graph())


def _drop(arguments: list[Argument], name: str) -> None:
    arguments.remove(named(arguments, name))


SPOILT: dict[str, Any] = {
    "no tokens": (
        lambda i, o: _drop(i, "input_ids"),
        "no input 'input_ids'",
    ),
    "missing present": (
        lambda i, o: _drop(o, "present.1.value"),
        "'past_key_values.1.value' has no output to go on with, such as 'present.1.value'",
    ),
    "missing past": (
        lambda i, o: _drop(i, "past_key_values.1.value"),
        "the output 'present.1.value' has no input that takes it; layer 1 has no past value",
    ),
    "missing layer": (
        lambda i, o: i.__delitem__(slice(3, 5)),
        "layer 0 has no past key; layer 0 has no past value",
    ),
    "unknown input": (
        lambda i, o: i.append(Argument("token_type_ids", "tensor(int64)", ["b", "t"])),
        "an input 'token_type_ids' that this embedder does not know",
    ),
    "narrow tokens": (
        lambda i, o: setattr(i[0], "type", "tensor(int32)"),
        "'input_ids' is tensor(int32), not tensor(int64)",
    ),
    "positions in three parts": (
        lambda i, o: setattr(i[2], "shape", [3, "b", "t"]),
        "'position_ids' has 3 dimensions, not (batch, length)",
    ),
    "one token only": (
        lambda i, o: setattr(i[0], "shape", ["b", 1]),
        "'input_ids' has a fixed length of 1; a session feeds one token or many",
    ),
    "integers in the cache": (
        lambda i, o: setattr(i[3], "type", "tensor(int8)"),
        "'past_key_values.0.key' is tensor(int8), neither float nor float16",
    ),
    "flat cache": (
        lambda i, o: setattr(i[4], "shape", ["b", "past", 24]),
        "'past_key_values.0.value' has 3 dimensions, not (batch, heads, length, head size)",
    ),
    "open heads": (
        lambda i, o: setattr(i[5], "shape", ["b", "heads", "past", 8]),
        "'past_key_values.1.key' leaves its heads or their size open: ['b', 'heads', 'past', 8]; export it with fixed",
    ),
    "fixed length": (
        lambda i, o: setattr(i[6], "shape", ["b", 3, 128, 8]),
        "'past_key_values.1.value' has a fixed length of 128; a cache must be free to grow",
    ),
    "other heads": (
        lambda i, o: setattr(i[6], "shape", ["b", 5, "past", 8]),
        "['b', 3, 'past', 8], 'past_key_values.1.value' is tensor(float) ['b', 5, 'past', 8]",
    ),
    "misshapen present": (
        lambda i, o: setattr(o[1], "shape", ["b", "total", 3, 8]),
        "tensor(float) ['b', 'total', 3, 8], which cannot go on as 'past_key_values.0.key', tensor(float) [",
    ),
    "present of another size": (
        lambda i, o: setattr(o[4], "shape", ["b", 3, "total", 9]),
        "'present.1.value' is tensor(float) ['b', 3, 'total', 9], which cannot go on",
    ),
    "present of another type": (
        lambda i, o: setattr(o[2], "type", "tensor(float16)"),
        "'present.0.value' is tensor(float16) ['b', 3, 'total', 8], which cannot go on",
    ),
    "integers to embed": (
        lambda i, o: setattr(o[0], "type", "tensor(int64)"),
        "the output 'logits' is tensor(int64), neither float nor float16",
    ),
    "one row to embed": (
        lambda i, o: setattr(o[0], "shape", ["b", 40]),
        "the output 'logits' is ['b', 40], not (batch, tokens, width)",
    ),
}


@pytest.mark.parametrize("name", SPOILT)
def test_each_defect_is_named(name: str) -> None:
    """What is wrong, by the name of the input or output, and what was found there."""
    spoil, message = SPOILT[name]
    inputs, outputs = graph()
    spoil(inputs, outputs)
    assert message in wrong(inputs, outputs)


def test_all_defects_are_listed_at_once() -> None:
    """Nobody mends a graph one message at a time."""
    inputs, outputs = graph()
    chosen = [
        "missing present",
        "unknown input",
        "narrow tokens",
        "open heads",
        "misshapen present",
        "one row to embed",
    ]
    for name in chosen:
        SPOILT[name][0](inputs, outputs)
    message = wrong(inputs, outputs)
    assert message.count(";") >= len(chosen) - 1
    assert all(SPOILT[name][1] in message for name in chosen)


def test_a_graph_that_is_no_decoder() -> None:
    """An encoder has no cache, and is told so."""
    inputs, outputs = graph()
    message = wrong(inputs[:2], outputs[:1])
    assert "no inputs for past keys and values, such as 'past_key_values.0.key'" in message


CONTRACT = contract_of(*graph())


def test_its_own_preset_fits() -> None:
    """No difference where there is none, for logits and for hidden states."""
    assert mismatches(CONTRACT, PRESET) == []
    assert mismatches(replace(CONTRACT, output="last_hidden_state", width=PRESET.hidden), PRESET) == []
    assert mismatches(replace(CONTRACT, width=None), PRESET) == []


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"inputs": 6, "positions": False}, "it has 6 inputs instead of 7, and no 'position_ids'"),
        ({"inputs": 8}, "it has 8 inputs instead of 7"),
        ({"layers": 3}, "its cache has 3 layers instead of 2"),
        ({"kv_heads": 4}, "'past_key_values.0.key' has 4 heads (dimension 1) instead of 3"),
        ({"head_size": 9}, "'past_key_values.0.key' has heads of 9 (dimension 3) instead of 8"),
        ({"width": 41}, "'logits' has width 41 instead of 40"),
        ({"output": "last_hidden_state"}, "'last_hidden_state' has width 40 instead of 24"),
    ],
)
def test_a_mismatch_says_which_input_and_how(changed: dict[str, Any], message: str) -> None:
    """Each difference alone gives one sentence: the tensor, what was found, what should be there."""
    assert mismatches(replace(CONTRACT, **changed), PRESET) == [message]


def test_a_model_that_is_not_its_preset_is_refused(tmp_path: Path) -> None:
    """Opening it tells every difference and the next step."""
    with pytest.raises(ContractError) as raised:
        Model(model().path, preset=DEFAULT)
    assert re.fullmatch(
        r"model.onnx is not qwen2.5-coder-0.5b: it has 11 inputs instead of 51; its cache has 4 layers instead of 24; "
        r"'past_key_values.0.key' has heads of 16 \(dimension 3\) instead of 64; 'logits' has width 320 instead of "
        r"151936. Name another preset, or None to take the graph as it is",
        str(raised.value),
    )
