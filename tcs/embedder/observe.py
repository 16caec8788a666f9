"""Hooks for whoever watches: latencies, tokens and cache lengths, for Prometheus and OpenTelemetry or one's own."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from tcs.embedder.errors import MissingError

if TYPE_CHECKING:
    from collections.abc import Iterator

# Seconds: from a step of a small graph to the prefill of a long prompt.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Observer(Protocol):
    """What is told of every call of a graph.

    What it raises reaches whoever embeds, and stops the text as an error of the graph would.
    """

    def call(self, kind: str, tokens: int, seconds: float, cache_length: int) -> None:
        """A call is over: ``kind`` is ``prefill`` (several tokens), ``decode`` (one) or ``batch`` (0 in the cache)."""

    def span(self, name: str, **attributes: str | int) -> AbstractContextManager[Any]:
        """Entered around ``embed`` and each call."""


class Prometheus:
    """A histogram of latencies, a counter of tokens and a gauge of the cache's length.

    Args:
        registry: of prometheus_client; its default one if none is given.

    Raises:
        MissingError: prometheus_client is not installed.
    """

    def __init__(self, registry: Any = None) -> None:
        try:
            import prometheus_client as client
        except ModuleNotFoundError as error:
            raise MissingError("prometheus_client is not installed; pip install prometheus-client") from error
        where = registry if registry is not None else client.REGISTRY
        self._seconds = client.Histogram(
            "tcs_embedder_call_seconds", "Seconds of a call of the graph", ["kind"], buckets=BUCKETS, registry=where
        )
        self._tokens = client.Counter("tcs_embedder_tokens", "Tokens that went in", ["kind"], registry=where)
        self._cache = client.Gauge(
            "tcs_embedder_cache_length", "Tokens in the cache after the last call", registry=where
        )

    def call(self, kind: str, tokens: int, seconds: float, cache_length: int) -> None:
        """Count a call."""
        self._seconds.labels(kind).observe(seconds)
        self._tokens.labels(kind).inc(tokens)
        self._cache.set(cache_length)

    @contextmanager
    def span(self, name: str, **attributes: str | int) -> Iterator[None]:
        """Nothing: Prometheus has no spans."""
        del name, attributes
        yield


class OpenTelemetry:
    """A span for each ``embed`` and each call within it, by the API of OpenTelemetry.

    Args:
        tracer: of OpenTelemetry; the one of the global provider if none is given.

    Raises:
        MissingError: opentelemetry-api is not installed.
    """

    def __init__(self, tracer: Any = None) -> None:
        if tracer is None:
            try:
                from opentelemetry import trace
            except ModuleNotFoundError as error:
                raise MissingError("opentelemetry is not installed; pip install opentelemetry-api") from error
            tracer = trace.get_tracer("tcs.embedder")
        self._tracer = tracer

    def call(self, kind: str, tokens: int, seconds: float, cache_length: int) -> None:
        """Nothing: the span of the call has said it."""

    def span(self, name: str, **attributes: str | int) -> AbstractContextManager[Any]:
        """A span that is the current one inside."""
        found: AbstractContextManager[Any] = self._tracer.start_as_current_span(
            f"tcs.embedder.{name}", attributes={f"tcs.embedder.{key}": value for key, value in attributes.items()}
        )
        return found


@contextmanager
def spans(observers: Sequence[Observer], name: str, **attributes: str | int) -> Iterator[None]:
    """The spans of all observers, one in the other."""
    with ExitStack() as stack:
        for observer in observers:
            stack.enter_context(observer.span(name, **attributes))
        yield
