"""Decoders as files answer what the forward pass in float64 answers, in every style, and planted faults do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from benchmarks.embedding import decoder as module, oracle
from benchmarks.embedding.decoder import FAULTS, QWEN_05B, TINY, build, weights
from decoding import Decoder, cosine, relative, together

if TYPE_CHECKING:
    from numpy.typing import NDArray

STYLES = ("standard", "plain", "gqa")
SINGLE = 5e-6
"""Relative error of float32 after four layers; 9e-7 is what one sees."""
HALF = 1e-2
"""Of float16, which rounds each product and each state to 11 bits (5e-4); 2e-3 is what one sees after four layers."""
WRONG = 0.1
"""Nothing that is wrong comes nearer."""
TOKENS = np.random.default_rng(7).integers(0, TINY.vocabulary, 20)
RIGHT = oracle.forward(weights(TINY), TINY, TOKENS)

Make = Callable[..., Decoder]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Decoders of the tiny size by their options, each built once; hidden states and logits unless asked otherwise."""
    made: dict[str, Decoder] = {}

    def get(**options: Any) -> Decoder:
        options = {"output": "both", **options}
        key = repr(sorted(options.items()))
        if key not in made:
            path = tmp_path_factory.mktemp("decoder") / "model.onnx"
            build(path, options.pop("shape", TINY), **options)
            made[key] = Decoder(path)
        return made[key]

    return get


@pytest.mark.parametrize("attention", STYLES)
@pytest.mark.parametrize("position_ids", [True, False])
@pytest.mark.parametrize(("dtype", "bound"), [("f32", SINGLE), ("f16", HALF)])
def test_one_pass_is_the_oracle(make: Make, attention: str, position_ids: bool, dtype: str, bound: float) -> None:
    """Hidden states, logits, keys and values of every layer, from an empty past."""
    step = make(attention=attention, position_ids=position_ids, dtype=dtype).run(TOKENS)
    assert relative(step["last_hidden_state"][0], RIGHT.hidden) < bound
    assert relative(step["logits"][0], RIGHT.logits) < bound
    for layer in range(TINY.layers):
        assert relative(step.stacked("key")[layer], RIGHT.keys[layer]) < bound
        assert relative(step.stacked("value")[layer], RIGHT.values[layer]) < bound


@pytest.mark.parametrize("attention", STYLES)
@pytest.mark.parametrize("sizes", [(1,) * 20, (7, 1, 12), (19, 1)])
@pytest.mark.parametrize(("dtype", "bound"), [("f32", SINGLE), ("f16", HALF)])
def test_pieces_are_the_whole(
    make: Make, attention: str, sizes: tuple[int, ...], dtype: str, bound: float
) -> None:  # fmt: skip
    """Single steps, chunks, and a prefill with a decode step give the states of one pass."""
    steps = make(attention=attention, dtype=dtype).steps(TOKENS, *sizes)
    assert relative(together(steps, "last_hidden_state"), RIGHT.hidden) < bound
    assert relative(steps[-1].stacked("key"), RIGHT.keys) < bound


@pytest.mark.parametrize("attention", STYLES)
def test_positions_are_taken_as_given(make: Make, attention: str) -> None:
    """Positions with gaps give what the oracle gives for them."""
    positions = np.sort(np.random.default_rng(1).choice(500, 20, replace=False))
    right = oracle.forward(weights(TINY), TINY, TOKENS, positions=positions)
    step = make(attention=attention).run(TOKENS, positions=positions[None])
    assert relative(step["last_hidden_state"][0], right.hidden) < SINGLE
    assert cosine(right.hidden[-1], RIGHT.hidden[-1]) < 0.99


@pytest.mark.parametrize("attention", STYLES)
def test_positions_of_zero_are_far_off(make: Make, attention: str) -> None:
    """The planted bug that the fixture has to show: a host that gives zeros scores far below 1."""
    step = make(attention=attention).run(TOKENS, positions=np.zeros((1, 20), np.int64))
    assert cosine(step["last_hidden_state"][0, -1], RIGHT.hidden[-1]) < 0.9


@pytest.mark.parametrize("attention", STYLES)
def test_an_empty_past_is_not_a_slot_of_zeros(make: Make, attention: str) -> None:
    """One slot of zeros that is attended to, instead of a past of length 0, changes the states."""
    decoder = make(attention=attention)
    zeros = {name: np.zeros((1, 2, 1, 16), np.float32) for name in decoder.run(TOKENS).past}
    step = decoder.run(TOKENS, zeros, positions=np.arange(20)[None])
    assert cosine(step["last_hidden_state"][0, -1], RIGHT.hidden[-1]) < 0.999


def windowed(decoder: Decoder, window: int, *, absolute: bool = True) -> NDArray[np.float64]:
    """Hidden states (20, 64) of single steps whose past is cut to the newest ``window - 1`` tokens."""
    past, rows = decoder.run(TOKENS[:1]).past, []
    past = {name: values[:, :, :0] for name, values in past.items()}
    for index, token in enumerate(TOKENS):
        past = {name: values[:, :, max(0, values.shape[2] - window + 1) :] for name, values in past.items()}
        position = index if absolute else past["past_key_values.0.key"].shape[2]
        step = decoder.run([token], past, positions=np.array([[position]]))
        rows.append(step["last_hidden_state"][0, 0])
        past = step.past
    return np.stack(rows)


@pytest.mark.parametrize("attention", STYLES)
def test_a_window_is_a_band(make: Make, attention: str) -> None:
    """Dropping the oldest tokens and keeping positions is one pass under a band; a window of another length is not.

    Nor are positions that begin anew with the window while keys stay as they were rotated, which is what a graph does
    that counts positions by itself.
    """
    right = oracle.forward(weights(TINY), TINY, TOKENS, mask=oracle.band(20, 8)).hidden
    given, counted = make(attention=attention), make(attention=attention, position_ids=False)
    assert relative(windowed(given, 8), right) < SINGLE
    for wrong in (
        windowed(given, 7), windowed(given, 9), windowed(given, 8, absolute=False), windowed(counted, 8)
    ):  # fmt: skip
        assert relative(wrong[:7], right[:7]) < SINGLE
        assert relative(wrong[8:], right[8:]) > WRONG


# Rows of a batch are 12, 7 and 9 tokens long, and four tokens are decoded after them, one by one.
LENGTHS = (12, 7, 9)
TEXTS = [np.random.default_rng((9, n)).integers(0, TINY.vocabulary, n + 4) for n in LENGTHS]
ALONE = [oracle.forward(weights(TINY), TINY, text).hidden for text in TEXTS]


def padded(decoder: Decoder, side: str) -> tuple[float, float]:
    """Largest relative error of a row in the prefill of a padded batch, and in the steps after it."""
    longest = max(LENGTHS)
    tokens, mask = np.zeros((2, len(TEXTS), longest), np.int64)
    places = [slice(longest - n, longest) if side == "left" else slice(0, n) for n in LENGTHS]
    for row, place in enumerate(places):
        tokens[row, place], mask[row, place] = TEXTS[row][:-4], 1
    step = decoder.run(tokens, mask=mask, positions=np.maximum(mask.cumsum(axis=1) - 1, 0))
    errors = [
        relative(step["last_hidden_state"][row, place], ALONE[row][:-4]) for row, place in enumerate(places)
    ]  # fmt: skip
    later = []
    for ahead in range(-4, 0):
        mask = np.concatenate([mask, np.ones((len(TEXTS), 1), np.int64)], axis=1)
        newest = np.array([[text[ahead]] for text in TEXTS])
        step = decoder.run(newest, step.past, mask=mask, positions=mask.sum(axis=1, keepdims=True) - 1)
        later += [relative(step["last_hidden_state"][row, 0], ALONE[row][ahead]) for row in range(len(TEXTS))]
    return max(errors), max(later)


@pytest.mark.parametrize(
    ("attention", "position_ids", "side", "prefill", "decode"),
    [
        ("standard", True, "left", SINGLE, SINGLE),
        ("standard", True, "right", SINGLE, SINGLE),
        ("standard", False, "left", SINGLE, SINGLE),
        ("standard", False, "right", SINGLE, WRONG),
        ("plain", True, "left", SINGLE, SINGLE),
        ("plain", True, "right", SINGLE, SINGLE),
        ("plain", False, "left", SINGLE, SINGLE),
        ("plain", False, "right", SINGLE, WRONG),
        ("gqa", True, "left", WRONG, WRONG),
        ("gqa", True, "right", SINGLE, SINGLE),
        ("gqa", False, "left", WRONG, WRONG),
        ("gqa", False, "right", SINGLE, SINGLE),
    ],
)
def test_which_side_may_be_padded(
    make: Make, attention: str, position_ids: bool, side: str, prefill: float, decode: float
) -> None:
    """A mask that is added allows either side; lengths taken from its sum allow the right side only.

    Counted positions shift a row by its padding on the left, which rotary positions do not see, and leave a gap after
    padding on the right, which they do.
    """
    found = padded(make(attention=attention, position_ids=position_ids), side)
    for error, bound in zip(found, (prefill, decode), strict=True):
        assert error > WRONG if bound == WRONG else error < bound


@pytest.mark.parametrize("attention", STYLES)
def test_the_contract(make: Make, attention: str) -> None:
    """Names, order, dtypes and dimensions of inputs and outputs; the 0.5B model has 51 inputs."""
    decoder = make(attention=attention, shape=replace(TINY, layers=QWEN_05B.layers))
    pairs = [f"{i}.{part}" for i in range(24) for part in ("key", "value")]
    names = ["input_ids", "attention_mask", "position_ids", *(f"past_key_values.{pair}" for pair in pairs)]
    assert list(decoder.inputs) == names
    assert len(names) == 51
    assert decoder.outputs == ["logits", "last_hidden_state", *(f"present.{pair}" for pair in pairs)]
    assert decoder.inputs["attention_mask"].type == "tensor(int64)"
    assert decoder.inputs["attention_mask"].shape == ["batch", "total"]
    assert decoder.inputs["past_key_values.0.key"].shape == ["batch", 2, "past", 16]


def test_variants_of_the_contract(make: Make) -> None:
    """Keys first, a float16 cache under float32 weights, one output, and no positions."""
    odd = make(order="keys_first", cache_dtype="f16", output="hidden", position_ids=False)
    keys, values = ([f"past_key_values.{i}.{part}" for i in range(4)] for part in ("key", "value"))
    assert list(odd.inputs) == ["input_ids", "attention_mask", *keys, *values]
    assert {odd.inputs[name].type for name in keys + values} == {"tensor(float16)"}
    assert odd.outputs[:2] == ["last_hidden_state", "present.0.key"]
    steps = odd.steps(TOKENS)
    assert steps[0].outputs["last_hidden_state"].dtype == np.float32
    assert steps[0].outputs["present.3.value"].dtype == np.float16
    assert SINGLE < relative(together(steps, "last_hidden_state"), RIGHT.hidden) < HALF
    assert make(output="logits").outputs[0] == "logits"
    assert make(dtype="f16").run(TOKENS).outputs["logits"].dtype == np.float16


@pytest.mark.parametrize("attention", STYLES)
def test_a_rebuilt_file_is_the_same(tmp_path: Path, attention: str) -> None:
    """Byte for byte; and another seed gives another file."""
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        build(tmp_path / name, replace(TINY, layers=1), attention=attention, seed=seed)
    first, again, other = ((tmp_path / name).read_bytes() for name in "abc")
    assert first == again
    assert first != other


def test_weights_in_a_file_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Make) -> None:
    """A large model keeps its weights in a second file: same answers bit for bit, same bytes when rebuilt."""
    monkeypatch.setattr(module, "BESIDE_ABOVE", 1000)
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        build(tmp_path / folder / "model.onnx", TINY, output="both")
    for name in ("model.onnx", "model.onnx.data"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert (tmp_path / "a" / "model.onnx").stat().st_size < 100_000
    found = Decoder(tmp_path / "a" / "model.onnx").run(TOKENS)["logits"]
    assert found.tolist() == make().run(TOKENS)["logits"].tolist()


@pytest.mark.parametrize("attention", STYLES)
@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_each_fault_shows(make: Make, attention: str, fault: str) -> None:
    """A pass, a cached run or a padded batch is wrong with it, or refused, and none of them is without it."""

    def wrong(decoder: Decoder, bound: float) -> bool:
        found = [relative(decoder.run(TOKENS)["last_hidden_state"][0], RIGHT.hidden)]
        found.append(relative(together(decoder.steps(TOKENS, 10, *[1] * 10), "last_hidden_state"), RIGHT.hidden))
        if fault == "mask_ignored":
            found += padded(decoder, "right" if attention == "gqa" else "left")
        return not np.max(found) < bound

    assert not wrong(make(attention=attention), SINGLE)
    faulty = make(attention=attention, fault=fault)
    if fault == "misshapen_present":
        with pytest.raises(Exception, match="invalid dimensions"):
            wrong(faulty, WRONG)
    else:
        assert wrong(faulty, WRONG)


def test_where_a_fault_is_planted(make: Make) -> None:
    """Faults of the cache leave the first pass right; what is wrong are the tensors that they name."""
    healthy = make().run(TOKENS)
    found = {fault: make(fault=fault).run(TOKENS) for fault in FAULTS}
    for fault in ("swapped_key_value", "layer_order", "truncated_present", "misshapen_present", "nan_present"):
        assert found[fault]["logits"].tolist() == healthy["logits"].tolist()
    for part, other in (("key", "value"), ("value", "key")):
        assert found["swapped_key_value"].stacked(part).tolist() == healthy.stacked(other).tolist()
        assert found["layer_order"].stacked(part).tolist() == np.roll(healthy.stacked(part), 1, axis=0).tolist()
        assert found["truncated_present"].stacked(part).tolist() == healthy.stacked(part)[:, :, :-1].tolist()
        turned = healthy.stacked(part).transpose(0, 2, 1, 3)
        assert found["misshapen_present"].stacked(part).tolist() == turned.tolist()
    nan: NDArray[np.bool_] = np.isnan(found["nan_present"].stacked("value"))
    assert nan[-1, :, -1].all()
    assert nan.sum() == TINY.kv_heads * TINY.head_size
    assert np.isnan(found["f16_overflow"]["logits"]).any()


@pytest.mark.parametrize(
    ("name", "value"),
    [("dtype", "f64"), ("attention", "flash"), ("output", "all"), ("order", "values_first"), ("fault", "bad")],
)
def test_what_is_not_known_is_refused(tmp_path: Path, name: str, value: str) -> None:
    """The message names the argument, what was given, and what there is; nothing is written."""
    with pytest.raises(ValueError, match=rf"{name}: '{value}' is none of '"):
        build(tmp_path / "model.onnx", TINY, **{name: value})  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_weights_are_the_declared_ones() -> None:
    """Deterministic, of standard deviation 1 / sqrt(hidden), those of norms about 1."""
    first, again = weights(TINY), weights(TINY)
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert first["embedding"].std() == pytest.approx(1 / 8, rel=0.05)
    assert first["norm"].mean() == pytest.approx(1, abs=0.1)
    assert sum(array.size for array in first.values()) == TINY.parameters
    assert not np.array_equal(first["embedding"], weights(TINY, seed=1)["embedding"])
