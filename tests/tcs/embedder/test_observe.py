"""Observers are told of every call: how long, how many tokens, how long the cache is; spans lie one in the other."""

from __future__ import annotations

import logging
import sys
from typing import Any

import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from benchmarks.embedding.models import path_of
from embedders import TOKENS, decoder, session
from tcs.embedder import Embedder, OpenTelemetry, Prometheus
from tcs.embedder.errors import InputError, MissingError

TEXTS = [TOKENS[:5], TOKENS[5:10], TOKENS[:30]]


def test_prometheus_counts_calls_tokens_and_the_cache() -> None:
    """A prompt in two calls and a step, each under its kind."""
    client = pytest.importorskip("prometheus_client")
    registry = client.CollectorRegistry()
    opened = session(decoder(prefill=8), [Prometheus(registry)])

    def value(name: str, **labels: str) -> Any:
        return registry.get_sample_value(f"tcs_embedder_{name}", labels or None)

    opened.embed(TOKENS[:11])
    opened.embed(TOKENS[11:12])
    assert value("call_seconds_count", kind="prefill") == 2
    assert value("call_seconds_count", kind="decode") == 1
    assert value("tokens_total", kind="prefill") == 11
    assert value("tokens_total", kind="decode") == 1
    assert value("cache_length") == opened.context_length == 12
    assert 0 < value("call_seconds_sum", kind="prefill") < 60
    assert value("call_seconds_bucket", kind="prefill", le="+Inf") == 2


def test_a_batch_is_told_by_the_pass() -> None:
    """Tokens of a pass without its padding, in no cache; a text beyond the window is told as the session it takes."""
    told: list[Any] = []

    class Teller(Prometheus):
        def __init__(self) -> None:
            """Not registered anywhere."""

        def call(self, kind: str, tokens: int, seconds: float, cache_length: int) -> None:
            told.append((kind, tokens, cache_length))

    opened = Embedder(
        path_of("tiny-f32"), preset=None, dimension=64, threads=1, window=20, prefill=20, observers=[Teller()]
    )
    opened.embed([*TEXTS, TOKENS[:4]])
    assert told == [("batch", 14, 0), ("prefill", 20, 20), *[("decode", 1, 20)] * 10]


def exported() -> tuple[Any, Any]:
    """An observer, and where its finished spans gather."""
    pytest.importorskip("opentelemetry.sdk")
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    memory, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    return OpenTelemetry(provider.get_tracer("test")), memory


def test_spans_of_calls_lie_in_the_span_of_their_text() -> None:
    """One for each call and no other, each with what is known when it begins; they end before that of the text."""
    observer, memory = exported()
    session(decoder(prefill=4), [observer]).embed(TOKENS[:9])
    *calls, text = memory.get_finished_spans()
    assert (text.name, text.parent, dict(text.attributes)) == (
        "tcs.embedder.embed", None, {"tcs.embedder.tokens": 9, "tcs.embedder.context_length": 0},
    )  # fmt: skip
    assert [call.attributes["tcs.embedder.context_length"] for call in calls] == [0, 4, 8]
    for call in calls:
        assert (call.name, call.parent.span_id) == ("tcs.embedder.call", text.context.span_id)
        assert text.start_time <= call.start_time <= call.end_time <= text.end_time


def test_spans_of_a_batch() -> None:
    """Passes and the sessions of long texts lie in one span; theirs in turn in those of the sessions."""
    observer, memory = exported()
    opened = Embedder(
        path_of("tiny-f32"), preset=None, dimension=64, threads=1, window=8, prefill=8, observers=[observer]
    )
    opened.embed([TOKENS[:5], TOKENS[5:10], TOKENS[:9]])
    spans = {span.context.span_id: span for span in memory.get_finished_spans()}
    parents = [spans[span.parent.span_id].name if span.parent else "" for span in spans.values()]
    tree = sorted(zip((span.name for span in spans.values()), parents, strict=True))
    call, text = "tcs.embedder.call", "tcs.embedder.embed"
    assert tree == [(call, text)] * 3 + [(text, ""), (text, text)]
    (root,) = [span for span in spans.values() if not span.parent]
    assert dict(root.attributes) == {"tcs.embedder.texts": 3}


def test_a_failure_is_on_its_span() -> None:
    """Spans end when a text fails, and the error is recorded on them."""
    observer, memory = exported()
    opened = session(decoder(), [observer], vocabulary=None)
    with pytest.raises(RuntimeError, match="idx=320"):
        opened.embed(TOKENS[:3] * 0 + 320)
    assert [span.status.status_code.name for span in memory.get_finished_spans()] == ["ERROR", "ERROR"]


def test_a_stream_that_is_left_ends_its_span(caplog: pytest.LogCaptureFixture) -> None:
    """Closed early, the span of the text ends without an error, and nothing of its context is left behind."""
    from opentelemetry import trace

    observer, memory = exported()
    with caplog.at_level(logging.WARNING):
        stream = session(decoder(), [observer]).stream(TOKENS[:9], every=4)
        next(stream)
        stream.close()
    assert [span.name for span in memory.get_finished_spans()] == ["tcs.embedder.call", "tcs.embedder.embed"]
    assert [span.status.status_code.name for span in memory.get_finished_spans()] == ["UNSET", "UNSET"]
    assert not trace.get_current_span().get_span_context().is_valid
    assert not caplog.records


def test_several_observers_at_once() -> None:
    """Each is told the same."""
    client = pytest.importorskip("prometheus_client")
    registries = [client.CollectorRegistry(), client.CollectorRegistry()]
    observer, memory = exported()
    session(decoder(), [Prometheus(registries[0]), observer, Prometheus(registries[1])]).embed(TOKENS)
    for registry in registries:
        assert registry.get_sample_value("tcs_embedder_tokens_total", {"kind": "prefill"}) == len(TOKENS)
    assert len(memory.get_finished_spans()) == 2


def test_a_text_that_is_refused_is_no_call() -> None:
    """Nothing is told of a text that never reached the graph."""
    observer, memory = exported()
    with pytest.raises(InputError, match="empty"):
        session(decoder(), [observer]).embed("")
    assert not memory.get_finished_spans()


@pytest.mark.parametrize(
    ("observer", "package", "message"),
    [
        (Prometheus, "prometheus_client", r"prometheus_client is not installed; pip install prometheus-client"),
        (OpenTelemetry, "opentelemetry", r"opentelemetry is not installed; pip install opentelemetry-api"),
    ],
)
def test_without_its_package(observer: Any, package: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An observer that cannot work says what to install."""
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingError, match=message):
        observer()


def test_the_tracer_of_the_application() -> None:
    """Without a tracer it takes that of the global provider, which does nothing where none is set."""
    pytest.importorskip("opentelemetry")
    opened = session(decoder(), [OpenTelemetry()])
    assert opened.embed(TOKENS[:3]).tokens == 3
