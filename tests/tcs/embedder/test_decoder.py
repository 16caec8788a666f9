"""Steps from the cache are one pass over the whole, within every window, and a step that fails leaves no trace."""

from __future__ import annotations

import itertools
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from benchmarks.embedding import oracle
from benchmarks.embedding.decoder import TINY, build
from decoding import relative
from embedders import HALF, KINDS, SINGLE, TOKENS, decoder, model, outputs, right
from tcs.embedder.contract import CONSTANTS
from tcs.embedder.decoder import Decoder
from tcs.embedder.errors import CacheError, ContractError, InputError
from tcs.embedder.model import Model

if TYPE_CHECKING:
    from numpy.typing import NDArray

WHOLE = right(TOKENS)
GROUPS = {"at once": [40], "one by one": [1] * 40, "uneven": [1, 7, 1, 1, 20, 2, 8]}

HEEDS = ("tiny-f32", "tiny-gqa-f32")
"""Tokens are hidden from the first by its mask until they are dropped; the other heeds none, and drops at once."""


def in_groups(decoder: Decoder, tokens: NDArray[np.int64], sizes: list[int]) -> NDArray[np.float64]:
    ends = np.cumsum([0, *sizes])
    return np.concatenate([outputs(decoder, tokens[a:b]) for a, b in itertools.pairwise(ends)])


def chunked(tokens: int, size: int, chunk: int) -> NDArray[np.bool_]:
    """Who sees whom by the definition: when the window is full its oldest chunk goes; a token sees all that is left."""
    seen, window = np.zeros((tokens, tokens), bool), list[int]()
    for token in range(tokens):
        if len(window) == size:
            window = window[chunk:]
        window.append(token)
        seen[token, window] = True
    return seen


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sizes", GROUPS.values(), ids=GROUPS)
def test_cached_steps_are_one_pass(kind: str, sizes: list[int]) -> None:
    """However tokens are grouped into calls, from an empty past of length 0: outputs, keys and values of all layers."""
    steps = decoder(kind)
    assert relative(in_groups(steps, TOKENS, sizes), WHOLE.logits) < SINGLE
    assert steps.context_length == steps.position == len(TOKENS)
    cached = steps.cached().astype(np.float64)
    assert cached.shape == (TINY.layers, 2, TINY.kv_heads, len(TOKENS), TINY.head_size)
    assert relative(cached[:, 0], WHOLE.keys) < SINGLE
    assert relative(cached[:, 1], WHOLE.values) < SINGLE


@pytest.mark.parametrize("sizes", GROUPS.values(), ids=GROUPS)
def test_float16_is_near(sizes: list[int]) -> None:
    """Weights, states and cache in float16 give the same to their precision."""
    steps = decoder("tiny-f16")
    assert relative(in_groups(steps, TOKENS, sizes), WHOLE.logits) < HALF
    assert steps.cached().dtype == np.float16
    assert relative(steps.cached()[:, 0].astype(np.float64), WHOLE.keys) < HALF


def test_hidden_states_are_given_as_they_are() -> None:
    """A graph without a head gives the state after its last normalisation."""
    assert relative(outputs(decoder("tiny-hidden-f32"), TOKENS), WHOLE.hidden) < SINGLE


@pytest.mark.parametrize("prefill", [1, 7, 39, 40, 41])
def test_a_prompt_in_parts_is_the_prompt(prefill: int) -> None:
    """Calls take ``prefill`` tokens at most, and their size changes nothing."""
    steps = decoder(prefill=prefill)
    parts = [part.astype(np.float64) for part in steps.advance(TOKENS)]
    assert [len(part) for part in parts] == [prefill] * (40 // prefill) + [40 % prefill] * bool(40 % prefill)
    assert relative(np.concatenate(parts), WHOLE.logits) < SINGLE


@pytest.mark.parametrize("kind", HEEDS)
@pytest.mark.parametrize("size", [1, 2, 5, 16, 39, 40, 41])
@pytest.mark.parametrize("policy", ["drop-oldest", "re-rotated"])
def test_a_window_is_a_band(kind: str, size: int, policy: str) -> None:
    """Each token sees itself and the size - 1 before it, in windows of 1 and 2, and of the text, one less and more."""
    steps = decoder(kind, size=size, policy=policy, theta=TINY.theta if policy == "re-rotated" else None)
    found = outputs(steps, TOKENS)
    assert relative(found, right(TOKENS, oracle.band(len(TOKENS), size)).logits) < 2 * SINGLE
    assert steps.context_length == min(size, len(TOKENS))


@pytest.mark.parametrize("policy", ["drop-oldest", "re-rotated", "chunked"])
def test_the_very_step_that_fills_a_window(policy: str) -> None:
    """Token by token around a full window: the one that fills it sees all, the next one has lost the oldest."""
    size = 8
    steps = decoder(size=size, policy=policy, theta=TINY.theta, chunk=int(policy == "chunked"))
    for last in range(1, size + 3):
        found = outputs(steps, TOKENS[last - 1 : last])[-1]
        first = max(0, last - size)
        wanted = right(TOKENS[:last], oracle.band(last, size)).logits[-1]
        assert relative(found, wanted) < SINGLE
        assert steps.context_length == last - first
        for wrong in {first - 1, first + 1} & set(range(last - 1)):
            # the nearest mistakes: one token too many, one too few
            mask = oracle.band(last, size)
            mask[-1] = np.arange(last) >= wrong
            assert relative(found, right(TOKENS[:last], mask).logits[-1]) > 100 * SINGLE


@pytest.mark.parametrize("kind", HEEDS)
@pytest.mark.parametrize(("size", "chunk"), [(8, 3), (8, 8), (8, 1), (1, 1), (20, 7), (40, 5), (41, 41)])
@pytest.mark.parametrize("prefill", [6, 512])
def test_a_chunked_window_is_its_definition(kind: str, size: int, chunk: int, prefill: int) -> None:
    """The same mask whatever the sizes of calls; whole chunks go at once."""
    steps = decoder(kind, size=size, policy="chunked", chunk=chunk, prefill=prefill)
    mask = chunked(len(TOKENS), size, chunk)
    assert relative(outputs(steps, TOKENS), right(TOKENS, mask).logits) < SINGLE
    assert steps.context_length == mask[-1].sum()


def test_half_precision_survives_many_turns() -> None:
    """Keys in float16 are rounded at every turn; five windows on they are still within its precision."""
    steps = decoder("tiny-f16", size=8, policy="re-rotated", theta=TINY.theta)
    assert relative(outputs(steps, TOKENS), right(TOKENS, oracle.band(len(TOKENS), 8)).logits) < HALF


def test_a_graph_without_a_mask(maskless: Model) -> None:
    """Nothing can be hidden from it, so tokens are dropped at once; steps and windows are right all the same."""
    assert (maskless.contract.mask, maskless.contract.inputs) == (False, 10)
    assert relative(in_groups(decoder(maskless), TOKENS, GROUPS["uneven"]), WHOLE.logits) < SINGLE
    for size in (1, 7):
        found = outputs(decoder(maskless, size=size), TOKENS)
        assert relative(found, right(TOKENS, oracle.band(len(TOKENS), size)).logits) < SINGLE


def test_a_chunk_of_one_token_drops_the_oldest() -> None:
    """The oracle's mask for chunks, at chunks of one token, is the band."""
    np.testing.assert_array_equal(chunked(30, 7, 1), oracle.band(30, 7))


@pytest.mark.parametrize("kind", [*KINDS, "tiny-f16"])
def test_a_shift_of_all_positions_changes_nothing(kind: str) -> None:
    """Rotary attention knows differences of positions only: begun at position 5000, outputs are the same."""
    still, shifted = decoder(kind, size=16), decoder(kind, size=16)
    shifted.position = 5000
    found, wanted = outputs(shifted, TOKENS), outputs(still, TOKENS)
    assert relative(found, wanted) < (HALF if kind == "tiny-f16" else 1e-3)
    assert shifted.position == 5000 + len(TOKENS)
    assert relative(shifted.cached()[:, 0].astype(np.float64), still.cached()[:, 0].astype(np.float64)) > 0.1


def test_positions_of_a_turned_window_stay_small() -> None:
    """After many times its size the next position is at most its capacity, and the keys are those of a fresh start."""
    steps = decoder(size=8, policy="re-rotated", theta=TINY.theta)
    for _ in range(10):
        outputs(steps, TOKENS)
        assert steps.position <= steps.window.capacity


def test_reset_is_fresh() -> None:
    """Bit for bit, whatever was there, after a window that had slid."""
    used, fresh = decoder(size=16), decoder(size=16)
    outputs(used, TOKENS)
    used.reset()
    assert (used.context_length, used.position, used.cached().size) == (0, 0, 0)
    np.testing.assert_array_equal(outputs(used, TOKENS[::-1]), outputs(fresh, TOKENS[::-1]))


@pytest.mark.parametrize("kind", KINDS)
def test_repeated_runs_are_the_same_bits(kind: str) -> None:
    """No state leaks, nothing is read that was not written."""
    runs = [outputs(decoder(kind, size=16), TOKENS) for _ in range(3)]
    assert all((run == runs[0]).all() for run in runs)


def test_sequences_side_by_side_do_not_touch() -> None:
    """Two decoders of one model, call by call in turn, and eight in threads, give the bits that each gives alone."""
    texts = [np.random.default_rng(i).integers(0, TINY.vocabulary, 50) for i in range(8)]
    alone = [outputs(decoder(size=16), text) for text in texts]
    turns = [decoder(size=16).advance(text) for text in texts[:2]]
    parts: list[list[NDArray[Any]]] = [[], []]
    for both in zip(*turns, strict=True):
        for mine, part in zip(parts, both, strict=True):
            mine.append(part.copy())
    for mine, wanted in zip(parts, alone, strict=False):
        np.testing.assert_array_equal(np.concatenate(mine), wanted)
    with ThreadPoolExecutor(8) as pool:
        for found, wanted in zip(pool.map(lambda text: outputs(decoder(size=16), text), texts), alone, strict=True):
            np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("calls", [[], [5], [1, 1], [3, 4, 1, 1, 1], [10, 1]])
@pytest.mark.parametrize("before", [0, 4, 12])
def test_a_return_to_a_mark_leaves_no_trace(calls: list[int], before: int) -> None:
    """After any calls, the sequence goes on bit for bit as if they had not been; also with tokens hidden meanwhile."""
    steps, other = decoder(size=16), decoder(size=16)
    for each in (steps, other):
        outputs(each, TOKENS[:before])
    mark = steps.mark()
    for count in calls:
        outputs(steps, TOKENS[20 : 20 + count])
    dropped = before + sum(calls) > steps.window.capacity
    assert steps.return_to(mark) != dropped
    if dropped:
        other.reset()
    assert (steps.position, steps.context_length) == (other.position, other.context_length)
    np.testing.assert_array_equal(steps.cached(), other.cached())
    np.testing.assert_array_equal(outputs(steps, TOKENS[:40]), outputs(other, TOKENS[:40]))


class Spy:
    """Stands in for a binding's method and keeps the addresses by name."""

    def __init__(self, real: Any) -> None:
        self.real = real
        self.addresses: dict[str, list[int]] = {}

    def __call__(self, name: str, *rest: Any) -> None:
        self.addresses.setdefault(name, []).append(rest[-1])
        self.real(name, *rest)


def test_a_step_reads_where_the_one_before_wrote() -> None:
    """No copy between steps: the past is bound at the address of the present before it, at two addresses for ever."""
    steps = decoder(size=128)
    put, get = Spy(steps._binding.bind_input), Spy(steps._binding.bind_output)
    steps._binding.bind_input, steps._binding.bind_output = put, get
    outputs(steps, TOKENS[:20])
    for token in TOKENS[20:30]:
        outputs(steps, [token])
    contract = steps.model.contract
    for past, present in zip(contract.past, contract.present, strict=True):
        assert put.addresses[past][1:] == get.addresses[present][:-1]
        assert len(set(put.addresses[past])) == 2


def test_a_long_past_costs_no_memory_a_step() -> None:
    """With 1,500 tokens in the cache a step allocates a few objects, and the same for each step."""
    steps = decoder(size=2048)
    rng = np.random.default_rng(0)
    outputs(steps, rng.integers(0, TINY.vocabulary, 1500))
    size = steps.cache_bytes
    assert size > 1500 * steps.model.contract.token_bytes * 2
    for part in steps.advance(TOKENS[:3]):
        del part
    tracemalloc.start()
    try:
        for token in TOKENS[3:23]:
            next(steps.advance(np.array([token])))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 1500 * steps.model.contract.token_bytes / 8
    assert steps.cache_bytes == size


def test_windows_of_graphs_without_positions() -> None:
    """They count themselves, so nothing can be dropped: a full window says so, and takes no token of the text."""
    steps = decoder("gpt2-counted-f32", size=8)
    outputs(steps, np.arange(8))
    with pytest.raises(ContractError, match=r"window of 8 tokens is full, and model.onnx takes no position_ids.*reset"):
        outputs(steps, [1])
    assert steps.context_length == 8


def test_what_cannot_be_asked() -> None:
    """A call of no token, and a base of rotary angles that is missing or none."""
    with pytest.raises(InputError, match=r"prefill=0: a call takes 1 token or more"):
        decoder(prefill=0)
    with pytest.raises(InputError, match=r"needs theta, the base of the rotary angles \('rope_theta' in config.json\)"):
        decoder(policy="re-rotated")
    for theta in (0.0, -1e4, np.inf, np.nan):
        with pytest.raises(InputError, match=r"theta=.*: the base of the rotary angles is a positive number"):
            decoder(policy="re-rotated", theta=theta)


@pytest.fixture
def maskless(tmp_path: Path) -> Model:
    """A graph that takes no attention_mask."""
    import onnx

    build(tmp_path / "masked.onnx", TINY, fault="mask_ignored")
    graph = onnx.load(tmp_path / "masked.onnx")
    graph.graph.input.remove(next(each for each in graph.graph.input if each.name == "attention_mask"))
    onnx.save(graph, tmp_path / "model.onnx")
    return Model(tmp_path / "model.onnx", preset=None, threads=1)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Model]:
    """Models with a fault in what they give back; shapes that the file would tell are left open in it."""
    import onnx

    made = {}
    for fault in ("truncated_present", "misshapen_present", "nan_present", "f16_overflow"):
        path = tmp_path_factory.mktemp(fault) / "model.onnx"
        build(path, TINY, fault=fault)
        graph = onnx.load(path)
        for each in graph.graph.output[1:]:
            for i, axis in enumerate(each.type.tensor_type.shape.dim):
                axis.dim_param = f"{each.name}_{i}"
        onnx.save(graph, path)
        made[fault] = Model(path, preset=None, threads=1)
    return made


FOUND = {
    "truncated_present": (
        r"^'present.0.key' came back with shape \(1, 2, 12, 16\) instead of \(1, 2, 13, 16\), and 7 more are wrong: "
        r"there were 10 tokens before and 3 new ones; nothing of it was taken$"
    ),
    "misshapen_present": r"^'present.0.key' came back with shape \(1, 13, 2, 16\) instead of \(1, 2, 13, 16\), and 7",
    "nan_present": r"^1 tensors of the cache hold NaN or infinity after 3 tokens, first present.3.value; nothing of",
    "f16_overflow": r"^6 tensors of the cache hold NaN or infinity after 3 tokens, first present.1.key, present.1",
}


@pytest.mark.parametrize("fault", FOUND)
def test_what_cannot_be_taken_is_named_and_not_taken(faulty: dict[str, Model], fault: str) -> None:
    """Truncated, misshapen and NaN tensors: the message names the first, and the sequence goes on bit for bit."""
    steps, other = decoder(), decoder()
    before = outputs(steps, TOKENS[:10])
    np.testing.assert_array_equal(before, outputs(other, TOKENS[:10]))
    good = steps.model, steps._binding
    steps.model, steps._binding = faulty[fault], decoder(faulty[fault])._binding
    with pytest.raises(CacheError, match=FOUND[fault]):
        outputs(steps, TOKENS[10:13])
    steps.model, steps._binding = good
    assert (steps.context_length, steps.position) == (10, 10)
    np.testing.assert_array_equal(steps.cached(), other.cached())
    np.testing.assert_array_equal(outputs(steps, TOKENS[10:]), outputs(other, TOKENS[10:]))


@pytest.mark.parametrize("fault", FOUND)
def test_the_first_call_of_a_faulty_graph(faulty: dict[str, Model], fault: str) -> None:
    """On an empty past, too, the error is about the tensor."""
    steps = decoder(faulty[fault])
    with pytest.raises(CacheError, match=r"present\.\d\.(key|value)"):
        outputs(steps, TOKENS[:13])
    assert (steps.context_length, steps.position) == (0, 0)


def test_an_output_of_too_few_tokens_is_named(tmp_path: Path) -> None:
    """A graph that gives the logits of the last token only cannot be embedded by a mean, and is told so."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    graph = onnx.load(model().path)
    (head,) = (node for node in graph.graph.node if "logits" in node.output)
    head.output[0] = "all_logits"
    graph.graph.initializer.append(numpy_helper.from_array(np.array([-1]), "newest"))
    graph.graph.node.append(helper.make_node("Gather", ["all_logits", "newest"], ["logits"], axis=1))
    graph.graph.output.remove(next(each for each in graph.graph.output if each.name == "logits"))
    graph.graph.output.append(helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", "n", 320]))
    path = tmp_path / "model.onnx"
    onnx.save(graph, path)
    with pytest.raises(CacheError, match=r"^'logits' came back with shape \(1, 1, 320\) instead of \(1, 5, 320\)"):
        outputs(decoder(Model(path, preset=None, threads=1)), TOKENS[:5])


def test_an_output_that_is_not_finite_is_not_taken(tmp_path: Path) -> None:
    """NaN in the output alone: the tokens are not in the cache either."""
    import onnx
    from onnx import helper, numpy_helper

    graph = onnx.load(model().path)
    (head,) = (node for node in graph.graph.node if "logits" in node.output)
    head.output[0] = "good"
    graph.graph.initializer.append(numpy_helper.from_array(np.array(np.nan, np.float32), "nothing"))
    graph.graph.node.append(helper.make_node("Mul", ["good", "nothing"], ["logits"]))
    path = tmp_path / "model.onnx"
    onnx.save(graph, path)
    steps = decoder(Model(path, preset=None, threads=1))
    with pytest.raises(CacheError, match=r"^the output 'logits' holds NaN or infinity$"):
        outputs(steps, TOKENS[:5])
    assert (steps.context_length, steps.position) == (0, 0)


def test_a_failure_of_the_runtime_is_told_in_its_words() -> None:
    """A token beyond the embedding table: the runtime's first line, and the sequence as it was."""
    steps = decoder()
    outputs(steps, TOKENS[:4])
    with pytest.raises(CacheError, match=r"^model.onnx failed on 2 tokens after 4: .*idx=320 must be within"):
        outputs(steps, [1, 320])
    assert steps.context_length == 4


def test_constants_are_bound_once(tmp_path: Path) -> None:
    """Inputs that never change are fed from the first call to the last."""
    import onnx
    from onnx import TensorProto, helper

    graph = onnx.load(model().path)
    graph.graph.input.append(helper.make_tensor_value_info("use_cache_branch", TensorProto.BOOL, [1]))
    graph.graph.node.append(helper.make_node("Identity", ["use_cache_branch"], ["branch"]))
    graph.graph.output.append(helper.make_tensor_value_info("branch", TensorProto.BOOL, [1]))
    path = tmp_path / "model.onnx"
    onnx.save(graph, path)
    opened = Model(path, preset=None, threads=1)
    assert list(opened.constants) == ["use_cache_branch"] <= list(CONSTANTS)
    assert relative(in_groups(decoder(opened), TOKENS, [50, 1, 9]), WHOLE.logits) < SINGLE


def test_a_gpu_without_its_arrays_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model on CUDA needs CuPy for its cache; without it the error says what to install."""
    import sys

    from tcs.embedder import decoder as module

    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(InputError, match=r"a cache on a GPU needs CuPy; pip install .* or leave CUDA out of providers"):
        module._arrays("cuda")
    assert module._arrays("cpu") is np
