"""The task ``embedding.states``: right players pass on every case, and every planted bug is caught."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.embedding import cases
from benchmarks.embedding.checks import TOLERANCE, states
from benchmarks.embedding.decoder import TINY, build
from benchmarks.embedding.given import file_of
from benchmarks.embedding.models import MODELS
from harness.case import Check, Problem
from harness.data import datasets
from playing import KNOWN, answer

RIGHT = ["tcs-embedder", "onnxruntime loop states"]
CASES: dict[str, Problem] = {
    "steps": cases.drift("tiny-f32"),
    "drop-oldest": cases.window("drop-oldest"),
    "re-rotated": cases.window("re-rotated"),
    "chunked": cases.window("chunked"),
    "sessions": cases.sessions(),
}
CAUGHT_BY = {
    "control zero positions": "steps",
    "control stuck position": "steps",
    "control seeded slot": "steps",
    "control mask too far": "steps",
    "control swapped key and value": "steps",
    "control layer order": "steps",
    "control stale cache": "steps",
    "control float16 overflow": "steps",
    "control relative window": "drop-oldest",
    "control late window": "drop-oldest",
    "control hidden is seen": "drop-oldest",
    "control keys rotated twice": "re-rotated",
    "control keys turned forward": "re-rotated",
    "control shared cache": "sessions",
}
CONTROLS = [name for name in KNOWN.answering("embedding.states") if KNOWN.player(name).role == "control"]


def judged(player: str, problem: Problem) -> Check:
    return states(problem.inputs, problem.known, answer(player, problem))


def value(check: Check, metric: str) -> float:
    return float(check.metrics[metric]["value"])


@pytest.mark.parametrize("player", RIGHT)
@pytest.mark.parametrize("name", [*CASES, "prefill", "shift", "growth"])
def test_a_right_player_passes(player: str, name: str) -> None:
    """The embedder and the raw loop give the states, contexts and caches of one full pass, in every case."""
    made = {"prefill": cases.prefill, "shift": lambda: cases.shift(5000), "growth": cases.growth}
    problem = CASES.get(name) or made[name]()
    check = judged(player, problem)
    assert check.ok, check.detail
    assert value(check, "cache_error") < 1e-10
    assert value(check, "context_length_error") == 0


@pytest.mark.parametrize(
    "fixture", ["tiny-hidden-f32", "tiny-f16", "tiny-8bit", "tiny-int4", "tiny-int8", "tiny-gqa-f32"]
)
def test_fewer_bits_are_told_apart_from_the_cache(fixture: str) -> None:
    """huggingface/transformers#46190, full against prefill and decode, in each precision; quantisation has its own."""
    problem = cases.drift(fixture)
    check = judged("tcs-embedder", problem)
    precision = problem.known["precision"]
    assert check.ok, check.detail
    assert value(check, "repeats_differing") == 0
    assert ("quantisation_error" in check.metrics) == (precision != "f32")
    assert "window_error" not in check.metrics
    if precision in ("8bit", "int4"):
        # the weights are rounded, which costs far more than the cache does
        assert value(check, "quantisation_error") > 1000 * TOLERANCE["f32"]
        assert value(check, "cache_error") < 1e-10
    if precision == "int8":
        # dynamic scales are taken over a call, so grouping changes results
        assert value(check, "cache_error") > 1e-4


def test_a_window_loses_information_without_an_error() -> None:
    """What a window forgets is its own number, far above what the policy is off by; both come from one answer."""
    check = judged("tcs-embedder", CASES["drop-oldest"])
    assert value(check, "window_error") > 0.1
    assert value(check, "unrelated_baseline") > 0.1
    assert value(check, "cache_error") < 1e-10


def test_the_context_grows_and_begins_anew() -> None:
    """45, 80 and after a reset 39, as the source reports them, and the cosine between two contexts is no error."""
    problem = cases.growth()
    found = answer("tcs-embedder", problem)
    assert found["contexts"].tolist() == [45, 80, 39]
    known = {**problem.known, "evolution": cases.EVOLUTION}
    check = states(problem.inputs, known, found)
    assert check.ok
    assert abs(value(check, "state_evolution_cosine") - cases.EVOLUTION) == value(check, "state_evolution_cosine_error")
    assert "evolution" not in problem.known, "random weights say nothing about it"


def test_a_users_own_model_is_told_which_claims_hold() -> None:
    """A path in place of a fixture: all claims hold for GroupQueryAttention, by an oracle that knows no weights."""
    path = str(file_of("tiny-gqa-f32"))
    for claim in ("steps", "prefill", "window", "growth", "sessions"):
        problem = cases.own(claim, model=path)
        check = judged("tcs-embedder", problem)
        assert check.ok, (claim, check.detail)
        assert "float64" not in check.oracle
        assert problem.provenance == "derived"


@pytest.mark.parametrize("fault", ["swapped_key_value", "layer_order"])
def test_a_graph_that_mixes_up_its_cache_is_found_out(fault: str, tmp_path: Path) -> None:
    """A user's graph whose cache goes out under other names: each pass alone is right, what goes on from it is not."""
    build(tmp_path / "model.onnx", TINY, fault=fault)
    for claim in ("steps", "growth"):
        check = judged("tcs-embedder", cases.own(claim, model=str(tmp_path / "model.onnx")))
        assert not check.ok
        assert value(check, "cache_error") > 0.1


@pytest.mark.parametrize("player", CONTROLS)
def test_every_planted_bug_is_caught(player: str) -> None:
    """Each control is wrong by far more than a right player may be; printed with -s, as the documentation has it."""
    name = CAUGHT_BY[player]
    check = judged(player, CASES[name])
    assert not check.ok
    if "cache_error" in check.metrics:
        assert value(check, "cache_error") > 1000 * TOLERANCE["f32"]
    print(row(player, name, check))


def row(player: str, name: str, check: Check) -> str:
    """A line of the table in docs/explanation/embedder.md."""
    if "cache_error" not in check.metrics:
        return f"| {player.removeprefix('control ')} | {name} | {check.detail} | | |"
    error = f"{value(check, 'cache_error'):.2g}"
    whole = "cache_keys" in check.metrics
    cache = f"{max(value(check, 'cache_keys'), value(check, 'cache_values')):.2g}" if whole else "of another shape"
    off = int(value(check, "context_length_error"))
    return f"| {player.removeprefix('control ')} | {name} | {error} | {cache} | {off or ''} |"


def test_every_control_is_asked() -> None:
    """No planted bug is registered without a case that must catch it."""
    assert set(CAUGHT_BY) == set(CONTROLS)


def test_an_answer_of_another_form_is_wrong() -> None:
    """A missing array, another number of outputs and NaN are each told in words."""
    problem = CASES["steps"]
    good = dict(answer("onnxruntime loop states", problem))
    missing = {name: each for name, each in good.items() if name != "cache"}
    assert "no cache" in states(problem.inputs, problem.known, missing).detail
    assert "instead of" in states(problem.inputs, problem.known, {**good, "outputs": good["outputs"][1:]}).detail
    spoilt = good["outputs"].copy()
    spoilt[3, 0] = np.nan
    assert "1 outputs are not finite" in states(problem.inputs, problem.known, {**good, "outputs": spoilt}).detail


def test_a_picture_can_be_drawn_of_every_kind() -> None:
    """One line for each of the three numbers that an answer has, each with its name in the legend."""
    from benchmarks.embedding.pictures import STYLES, errors

    for problem, names in (
        (CASES["drop-oldest"], {"cache", "window"}),
        (cases.drift("tiny-int4"), {"cache", "quantisation"}),
    ):
        check = judged("tcs-embedder", problem)
        figure = errors(check.canonical, "a $ sign")
        legend = figure.axes[0].get_legend()
        assert legend is not None
        assert {text.get_text() for text in legend.get_texts()} == {STYLES[name][2] for name in names}


def test_a_user_is_told_of_a_wrong_claim() -> None:
    """An unknown claim is refused by its name."""
    with pytest.raises(ValueError, match="claim 'quality' is not one of"):
        cases.own("quality")
    assert cases.OWN in MODELS


@pytest.fixture
def public(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Data sets of the form of the public weights and of the source's test, with small graphs and other prompts."""
    (tmp_path / "onnx").mkdir()
    for precision, name in cases.FILES.items():
        (tmp_path / "onnx" / f"{name}.onnx").write_bytes(file_of(f"tiny-{precision}").read_bytes())
    lines = [f'let test_prompt{i} = "{text}";' for i, text in enumerate(("a first", " second one", "new"), start=1)]
    (tmp_path / "test_qwen_stateful.rs").write_text("\n".join(["fn main() {", *lines, "}"]), encoding="utf-8")
    monkeypatch.setattr(datasets, "locate", lambda name: tmp_path)
    monkeypatch.setattr(datasets, "sha256_of", lambda name: "0" * 64)
    return tmp_path


@pytest.mark.parametrize("precision", ["f32", "f16", "int8", "int4"])
def test_real_weights_are_held_against_float32_of_the_same(public: Path, precision: str) -> None:
    """Their provenance is real, so that gates on quality may look at them; each precision has its own file."""
    problem = cases.weights(precision)
    check = judged("tcs-embedder", problem)
    assert problem.provenance == "real"
    assert check.ok, check.detail
    assert ("quantisation_error" in check.metrics) == (precision != "f32")


def test_the_sources_prompts_are_read_character_by_character(public: Path) -> None:
    """A token is a code point, as the source counted; the evolution is told, and all inputs are compared by name."""
    problem = cases.source_prompts()
    assert problem.inputs["tokens"][:3].tolist() == [ord("a"), ord(" "), ord("f")]
    found = answer("tcs-embedder", problem)
    assert found["contexts"].tolist() == [7, 18, 3]
    metrics = states(problem.inputs, problem.known, found).metrics
    assert "state_evolution_cosine_error" in metrics
    assert metrics["contract_mismatches"]["value"] == 2 * (24 - 4), "this graph has 4 layers, not 24"
