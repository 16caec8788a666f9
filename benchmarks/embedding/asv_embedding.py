"""Steps of the embedder as asv sees them: on a tiny graph, so that what is timed is everything but arithmetic."""

from __future__ import annotations

from benchmarks.persistence.asv_persistence import KNOWN, _answering, _View


class Decode(_View):
    """One token more."""

    case = "embedding.tpot"
    version = f"{case} {KNOWN.case(case).version}"
    fixed = {"graph": "tiny-hidden-f32"}
    param_names = ("context", "player")
    params = ((16, 512), _answering(case))


class Prefill(_View):
    """A prompt from an empty cache."""

    case = "embedding.ttft"
    version = f"{case} {KNOWN.case(case).version}"
    fixed = {"graph": "tiny-hidden-f32"}
    param_names = ("tokens", "player")
    params = ((16, 512), _answering(case))
