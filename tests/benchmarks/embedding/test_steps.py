"""Players on time are right, again and again, and a wrong answer is seen."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

from benchmarks.embedding import steps
from benchmarks.embedding.decoder import QWEN_05B
from benchmarks.embedding.players.steps_onnxruntime import reader, token_bytes
from harness.case import Problem
from harness.discover import registry
from harness.machine.availability import why_not
from harness.trials.target import load
from playing import PROJECT

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

TINY = "tiny-hidden-f32"
KNOWN = registry(PROJECT)
STEP = [KNOWN.player(name) for name in KNOWN.answering("embedding.step")]
HERE = [each.name for each in STEP if not each.interpreter and each.role != "control"]


@pytest.fixture(scope="module")
def decode() -> Problem:
    """One token after 20, with players of fewer bits admitted."""
    return steps.tpot(20, graph=TINY, fewer_bits="int8 int4")


@pytest.fixture(scope="module")
def prefill() -> Problem:
    """Twenty-one tokens from an empty cache."""
    return steps.ttft(21, graph=TINY)


def solver(name: str, problem: Problem) -> Any:
    """A player's solve, or a skip with the reason why it is not here."""
    info = KNOWN.player(name)
    if reason := why_not(info, {"gpus": []}, PROJECT):
        pytest.skip(reason)
    return load(info.target, PROJECT)({**problem.inputs, "threads": 1}, lambda stage: nullcontext())


def same(problem: Problem, answer: Mapping[str, Any]) -> Any:
    """What the check finds."""
    return steps.same_direction(problem.inputs, problem.known, answer)


@pytest.mark.parametrize("name", HERE)
def test_every_player_is_right_at_each_call(name: str, decode: Problem) -> None:
    """A call leaves the context as it was: the second answer is the first, bit for bit, and both are right."""
    solve = solver(name, decode)
    first, second = solve(), solve()
    found = same(decode, first)
    assert found.ok, found.detail
    assert np.array_equal(first["embeddings"], second["embeddings"])


def test_a_player_that_forgets_is_caught(decode: Problem) -> None:
    """The last token alone, at its own position, has another embedding than after the others."""
    found = same(decode, solver("control forgets the context", decode)())
    assert not found.ok
    assert found.distance > 1e-3


@pytest.mark.parametrize("name", ["tcs-embedder session", "onnxruntime loop"])
def test_a_prompt_is_the_last_token_after_the_others(name: str, prefill: Problem, decode: Problem) -> None:
    """Prefill of n tokens and one token after n - 1 have the same reference, and the players find it."""
    assert np.array_equal(prefill.inputs["tokens"], decode.inputs["tokens"])
    assert np.allclose(prefill.known["right"]["32"], decode.known["right"]["32"])
    assert same(prefill, solver(name, prefill)()).ok


def test_only_a_single_token_has_a_floor_of_bandwidth(prefill: Problem) -> None:
    """A prompt is bound by arithmetic, so the player that reads memory does not play."""
    from harness.errors import Unavailable

    with pytest.raises(Unavailable, match="one token at a time"):
        solver("memory read", prefill)


def test_tokens_a_second_are_those_of_the_call(prefill: Problem, decode: Problem) -> None:
    """A prompt counts all of its tokens and a step one, over the seconds of the call."""
    for problem, tokens in ((prefill, 21), (decode, 1)):
        solve = solver("tcs-embedder session", problem)
        start = time.perf_counter()
        solve()
        most = time.perf_counter() - start
        rate = solve.metrics()["tokens_per_second"]["value"]
        assert tokens / most <= rate < 1e6


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda right: right[:, ::-1], "1 - cosine is"),
        (lambda right: right * np.nan, "not finite"),
        (lambda right: right * 0, "is 0"),
        (lambda right: right[0], "shape"),
        (lambda right: np.concatenate([right, right], axis=1), "shape"),
    ],
)
def test_a_wrong_embedding_is_seen(spoil: Any, says: str, prefill: Problem) -> None:
    """Another direction, no number, nothing at all, another shape."""
    right = np.array(prefill.known["right"]["32"][-1])
    assert same(prefill, {"embeddings": right}).ok
    found = same(prefill, {"embeddings": spoil(right)})
    assert not found.ok
    assert says in found.detail


def test_the_embedding_of_other_tokens_is_seen(prefill: Problem, decode: Problem) -> None:
    """One token left out of 21 is beyond the tolerance of every precision."""
    shorter = np.array(steps.ttft(20, graph=TINY).known["right"]["32"][-1])
    for bits in (32, 8, 4):
        assert not same(decode, {"embeddings": shorter, "bits": bits}).ok


def test_fewer_bits_play_only_where_they_are_asked_for(prefill: Problem) -> None:
    """An answer cannot take a looser tolerance than the case has a reference for."""
    right = np.array(prefill.known["right"]["32"][-1])
    assert "not asked for" in same(prefill, {"embeddings": right, "bits": 8}).detail


def test_int8_is_not_held_to_float32(decode: Problem) -> None:
    """The int8 graph's answer is right as int8, and would be wrong as float32."""
    answer = solver("tcs-embedder session int8", decode)()
    assert same(decode, answer).ok
    assert not same(decode, {**answer, "bits": 32}).ok


@pytest.mark.parametrize("name", KNOWN.answering("embedding.batch"))
def test_a_batch_is_the_prompts_one_by_one(name: str) -> None:
    """Each prompt has its own pass from an empty cache as a reference; prompts in another order are wrong."""
    problem = steps.batch(3, 16, graph=TINY)
    answer = solver(name, problem)()
    assert same(problem, answer).ok
    assert not same(problem, {"embeddings": answer["embeddings"][::-1]}).ok


def test_a_stream_begins_with_its_first_tokens() -> None:
    """The stream answers after 16 tokens, the other player after all; a wrong count of tokens is seen."""
    problem = steps.streaming(50, every=16, graph=TINY)
    for name, tokens in (("tcs-embedder stream", 16), ("tcs-embedder whole", 50)):
        solve = solver(name, problem)
        solve()
        answer = solve()
        assert answer["tokens"] == tokens
        assert steps.same_direction_so_far(problem.inputs, problem.known, answer).ok
        assert not steps.same_direction_so_far(problem.inputs, problem.known, {**answer, "tokens": 66 - tokens}).ok
        assert not steps.same_direction_so_far(problem.inputs, problem.known, {**answer, "tokens": 17}).ok


@pytest.mark.parametrize("name", KNOWN.answering("embedding.open"))
def test_a_model_is_opened_in_the_time(name: str) -> None:
    """Each call opens it anew and embeds one token."""
    problem = steps.opening(graph=TINY)
    assert same(problem, solver(name, problem)()).ok


def test_a_token_reads_all_weights_but_the_other_rows_of_the_embedding() -> None:
    """494,032,768 parameters, of which 151,935 rows of 896 are not read; 24,576 bytes of cache a token."""
    assert token_bytes(QWEN_05B, 0) == 4 * (494_032_768 - 151_935 * 896)
    assert token_bytes(QWEN_05B, 1) - token_bytes(QWEN_05B, 0) == 24_576


@pytest.mark.parametrize("where", [0, 500, 999_999])
def test_the_reader_reads_every_word(where: int) -> None:
    """A bit is found wherever it stands, in one thread and in several."""
    words = np.ones(1_000_000, np.int64)
    words[where] = 4
    assert [reader(words, threads)() for threads in (1, 3)] == [5, 5]


@pytest.mark.parametrize("name", ["tcs-embedder session", "onnxruntime loop"])
def test_a_model_of_the_users_is_timed_too(name: str) -> None:
    """A file that the suite knows nothing of, here one of half precision, and the GPT-2 that stands in for it."""
    from benchmarks.embedding.models import path_of

    for model in (None, str(path_of("tiny-f16"))):
        for problem in (steps.own_ttft(20, model=model), steps.own_tpot(20, model=model)):
            found = same(problem, solver(name, problem)())
            assert found.ok, found.detail
            assert problem.provenance == ("derived" if model else "synthetic")


def test_the_bytes_of_an_unknown_model_are_not_guessed() -> None:
    """The player that reads memory does not play where it cannot know how much to read."""
    from benchmarks.embedding.models import path_of
    from harness.errors import Unavailable

    with pytest.raises(Unavailable, match="not known"):
        solver("memory read", steps.own_tpot(20, model=str(path_of("tiny-f32"))))
