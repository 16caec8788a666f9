"""What a gate requires, matched against the machine and the records; one small function a condition.

============= =========================== ==================================================================
condition     example                     what it is held against
============= =========================== ==================================================================
``gpu``       ``A100 80GB``, ``any``      model name and memory class of one GPU; ``none``: no GPU
``cuda``      ``12.2``, ``>=12.2``        version of CUDA, as many parts as are written
``driver``    ``>=535``                   version of the GPU driver
``cpu``       ``EPYC 9654``               words of the CPU model's name
``cores``     ``>=16``                    cores that the run may use
``memory_gib`` ``>=16``                   memory that the run may use, GiB
``os``        ``Linux``                   words of the operating system's name
``python``    ``3.11``                    version of Python
``governor``  ``performance``             CPU frequency governor
``machine``   the key                     stable machine key, literally
``threads``   ``1``, ``>=8``              threads of every trial
``provenance`` ``real``, ``real|derived`` provenance of every trial's input
``device``    ``cuda``                    device of every trial
``steal``     ``<=0.02``                  largest share of stolen CPU time among the trials
============= =========================== ==================================================================

Bounds are written ``>=``, ``<=``, ``>``, ``<`` or ``==`` and a number; alternatives are separated by ``|``.
What is not known of a machine, or of a trial that was played, does not meet a condition. A condition about trials
where none was played counts neither as met nor as unmet: such a gate is BLOCKED anyway.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.case import DEVICES, PROVENANCES
from harness.errors import ConfigurationError, UnknownName
from harness.record import Record

Facts = Mapping[str, Any]
Answer = tuple[str, bool | None]
"""What is here, in words, and whether that meets the condition (None where there is nothing to tell by)."""

BOUNDS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
}
_BOUND = re.compile(r"\s*(>=|<=|==|>|<)?\s*(\d+(?:\.\d+)*)\s*")
_MEMORY = re.compile(r"(\d+)\s*gi?b", re.IGNORECASE)


def match(
    required: Mapping[str, str], facts: Facts, records: Sequence[Record]
) -> tuple[bool, dict[str, str], list[str]]:
    """Hold required conditions against a machine's facts and the trials that a gate rests on.

    Returns:
        Whether all are met; condition to what is here, in words; one phrase for each that is not met.

    Raises:
        UnknownName: a condition that does not exist. ConfigurationError: a bound that is no number.
    """
    found: dict[str, str] = {}
    why: list[str] = []
    for name, asked in required.items():
        here, met = _condition(name)(str(asked), facts, records)
        found[name] = here
        if met is False:
            why.append(f"{name} must be {asked}, here: {here}")
    return not why, found, why


def require_known(required: Mapping[str, str]) -> None:
    """Raise as :func:`match` does for a condition or bound that makes no sense, without a machine."""
    match(required, {}, ())


def _condition(name: str) -> Callable[[str, Facts, Sequence[Record]], Answer]:
    try:
        return CONDITIONS[name]
    except KeyError:
        raise UnknownName(
            "condition", name, CONDITIONS, hint="See harness/conditions.py for what each means."
        ) from None


def _gpu(asked: str, facts: Facts, records: Sequence[Record]) -> Answer:
    gpus = list(facts.get("gpus") or [])
    here = ", ".join(_gpu_label(gpu) for gpu in gpus) or "no GPU"
    if asked in ("any", "none"):
        return here, bool(gpus) == (asked == "any")
    return here, any(_is_gpu(choice, gpu) for choice in asked.split("|") for gpu in gpus)


def _is_gpu(asked: str, gpu: Mapping[str, Any]) -> bool:
    size = _MEMORY.search(asked)
    return set(_words(_MEMORY.sub(" ", asked))) - {"any"} <= set(_words(str(gpu["name"]))) and (
        size is None or _memory_class(int(size[1]), gpu)
    )


def _memory_class(asked: int, gpu: Mapping[str, Any]) -> bool:
    """Whether a GPU is sold as one of this many GB.

    Drivers report some of a board's memory as taken: an A10 of 24 GB has 22.5 GiB, a T4 of 16 GB has 15.0, an
    H200 of 141 GB has 140.4. A slice of a bigger board has far less than its name says, so bytes go first.
    """
    if gpu.get("memory_bytes"):
        return bool(0.92 * asked <= gpu["memory_bytes"] / 2**30 <= 1.02 * asked)
    size = _MEMORY.search(str(gpu["name"]))
    return size is not None and int(size[1]) == asked


def _gpu_label(gpu: Mapping[str, Any]) -> str:
    size = gpu.get("memory_bytes")
    return f"{gpu['name']} ({size / 2**30:.1f} GiB)" if size else str(gpu["name"])


def _version(fact: Callable[[Facts], Any], absent: str) -> Callable[[str, Facts, Sequence[Record]], Answer]:
    def condition(asked: str, facts: Facts, records: Sequence[Record]) -> Answer:
        sign, wanted = _bound(asked)
        here = fact(facts)
        if not here:
            return absent, False
        limit = tuple(int(part) for part in wanted.split("."))
        parts = tuple(int(part) for part in re.findall(r"\d+", str(here))[: len(limit)])
        return str(here), BOUNDS[sign](parts + (0,) * (len(limit) - len(parts)), limit)

    return condition


def _number(
    value: Callable[[Facts, Sequence[Record]], tuple[float | None, ...]],
) -> Callable[[str, Facts, Sequence[Record]], Answer]:
    """A bound on numbers, all of which must be known and meet it."""

    def condition(asked: str, facts: Facts, records: Sequence[Record]) -> Answer:
        sign, wanted = _bound(asked)
        if wanted.count(".") > 1:
            raise ConfigurationError(f"requires: {asked!r} is no number; write for example '>=16'")
        limit = float(wanted)
        found = value(facts, records)
        here = sorted({number for number in found if number is not None})
        shown = [f"{number:.4g}" for number in here] + ["not known"] * (None in found)
        if not found:
            return "no trial", None
        return ", ".join(shown), None not in found and all(BOUNDS[sign](number, limit) for number in here)

    return condition


def _text(value: Callable[[Facts], Any]) -> Callable[[str, Facts, Sequence[Record]], Answer]:
    def condition(asked: str, facts: Facts, records: Sequence[Record]) -> Answer:
        here = str(value(facts) or "")
        met = any(set(_words(choice)) <= set(_words(here)) for choice in asked.split("|"))
        return here or "not known", bool(here) and met

    return condition


def _trials(
    kind: str, known: Sequence[str], value: Callable[[Record], str]
) -> Callable[[str, Facts, Sequence[Record]], Answer]:
    """A word that every trial must have, of those that are known."""

    def condition(asked: str, facts: Facts, records: Sequence[Record]) -> Answer:
        here = sorted({value(record) or "not known" for record in _played(records)})
        allowed = [choice.strip() for choice in asked.split("|")]
        for choice in allowed:
            if choice not in known:
                raise UnknownName(kind, choice, known)
        return ", ".join(here) or "no trial", all(name in allowed for name in here) if here else None

    return condition


def _played(records: Sequence[Record]) -> list[Record]:
    """The trials of which something can be known: those whose process was started."""
    return [record for record in records if record.status != "unavailable" and record.wall > 0]


def _bound(asked: str) -> tuple[str, str]:
    found = _BOUND.fullmatch(asked)
    if found is None:
        raise ConfigurationError(
            f"requires: {asked!r} is neither a number nor a bound; write for example '12.2' or '>=16'"
        )
    return found[1] or "==", found[2]


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def _cpu(facts: Facts, name: str) -> Any:
    return (facts.get("cpu") or {}).get(name)


def _memory_gib(facts: Facts) -> float | None:
    """What the run may use: the host's memory, or the cgroup's limit where that is lower."""
    sizes = [facts.get("memory_bytes"), (facts.get("cgroup") or {}).get("memory_bytes")]
    known = [size for size in sizes if size]
    return min(known) / 2**30 if known else None


def _machine(asked: str, facts: Facts, records: Sequence[Record]) -> Answer:
    key = str(facts.get("key", ""))
    return key or "not known", key in asked.split("|")


CONDITIONS: dict[str, Callable[[str, Facts, Sequence[Record]], Answer]] = {
    "gpu": _gpu,
    "cuda": _version(lambda facts: facts.get("cuda"), "no CUDA"),
    "driver": _version(lambda facts: facts.get("driver"), "no GPU driver"),
    "cpu": _text(lambda facts: _cpu(facts, "model")),
    "cores": _number(lambda facts, records: (_cpu(facts, "cores"),)),
    "memory_gib": _number(lambda facts, records: (_memory_gib(facts),)),
    "os": _text(lambda facts: facts.get("os")),
    "python": _version(lambda facts: facts.get("python"), "not known"),
    "governor": _text(lambda facts: facts.get("governor")),
    "machine": _machine,
    "threads": _number(lambda facts, records: tuple(record.threads for record in _played(records))),
    "provenance": _trials("provenance", PROVENANCES, lambda record: str(record.data.get("provenance", ""))),
    "device": _trials("device", DEVICES, lambda record: record.device),
    "steal": _number(lambda facts, records: tuple(record.interference.get("steal") for record in _played(records))),
}
