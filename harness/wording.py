"""Numbers, names, statuses and foreign text in plain words, the same in verdicts and in every kind of report."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from harness.record import Record

STATUS_WORDS = {
    "ok": "finished",
    "timeout": "timed out",
    "memory": "out of memory",
    "crash": "crashed",
    "error": "failed",
    "unavailable": "not available",
    "wrong_answer": "wrong answer",
}
_SIGNALS = {
    4: "illegal instruction",
    6: "abort",
    7: "bus error",
    8: "arithmetic error",
    9: "kill",
    11: "segmentation fault",
}
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-_]")
# Control characters that XML 1.0 forbids, lone surrogates, and marks that reorder the text around them.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
_SECONDS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
_BYTES = ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"), (1, "B"))


def clean(text: object) -> str:
    r"""Foreign text without terminal escapes; what cannot be printed becomes U+FFFD.

    >>> clean("a\x1b[31mred\x1b[0m\x00")
    'ared\ufffd'
    """
    return _UNPRINTABLE.sub("\ufffd", _ESCAPES.sub("", str(text).replace("\r\n", "\n").replace("\r", "\n")))


def shorten(text: object, length: int = 160) -> str:
    """One line of at most ``length`` characters."""
    line = " ".join(clean(text).split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def digits(value: float, significant: int = 3) -> str:
    """A number for a table: that many significant digits, zeros at its end too, thousands grouped.

    It has an exponent only where it is extreme; :func:`number` is for a sentence.

    >>> [digits(v) for v in (0.01234, 1.5, 12345.6, 1.2e-7)]
    ['0.0123', '1.50', '12,346', '1.20e-07']
    """
    if not math.isfinite(value):
        return "∞" if value > 0 else "−∞" if value < 0 else "not a number"
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if size < -4 or size > 11:
        return f"{value:.{significant - 1}e}"
    places = max(significant - 1 - size, 0)
    return f"{value:,.{places}f}"


def number(value: float) -> str:
    """A number for a sentence: three significant digits, no zeros at its end; :func:`digits` is for a table.

    >>> [number(x) for x in (0.0, 0.01234, 3.14159, 512.3, 12345.6, 1.5e-7)]
    ['0', '0.0123', '3.14', '512', '12,346', '1.5e-07']
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    if abs(value) >= 1000:
        return f"{value:,.0f}" if abs(value) < 1e9 else f"{value:.2e}"
    return f"{value:.3g}"


def with_unit(text: str, unit: str) -> str:
    """A number's text and its unit as it is; none for a plain share. :func:`amount` scales seconds and bytes.

    >>> with_unit("3", "ms"), with_unit("3", "")
    ('3 ms', '3')
    """
    return text if unit in ("", "1", "share") else f"{text} {unit}"


def seconds(value: float) -> str:
    """A duration in the unit that suits it.

    >>> [seconds(v) for v in (0.0000015, 0.0123, 2.5, 130, 7200)]
    ['1.50 µs', '12.3 ms', '2.50 s', '130 s', '7,200 s']
    """
    size, unit = _unit(value, _SECONDS)
    return f"{digits(value / size)} {unit}"


def limit(value: float) -> str:
    """A configured number of seconds, as it was written.

    >>> limit(60.0), limit(2.5)
    ('60 s', '2.5 s')
    """
    return f"{value:,g} s"


def size(value: float) -> str:
    """Bytes in a binary unit.

    >>> size(104857600), size(4 * 2**30)
    ('100 MiB', '4.00 GiB')
    """
    unit_size, unit = _unit(value, _BYTES)
    return f"{digits(value / unit_size)} {unit}" if unit != "B" else f"{value:,.0f} B"


def span(low: float, high: float, unit: str) -> str:
    """An interval in the unit that suits its lower end.

    >>> span(0.0123, 0.0131, "s")
    '12.3 to 13.1 ms'
    """
    if unit == "s":
        divisor, name = _unit(low if low > 0 else high, _SECONDS)
        return f"{digits(low / divisor)} to {digits(high / divisor)} {name}"
    if unit in ("B", "bytes"):
        divisor, name = _unit(low if low > 0 else high, _BYTES)
        return f"{digits(low / divisor)} to {digits(high / divisor)} {name}"
    if unit in ("x", "×"):
        return f"{digits(low)} to {digits(high)}×"
    return f"{digits(low)} to {digits(high)} {unit}".rstrip()


def unit_of(value: float, unit: str) -> float:
    """How many seconds (``s``) or bytes (``B``) the unit has that suits a value.

    >>> unit_of(0.02, "s"), unit_of(3 * 2**20, "B")
    (0.001, 1048576)
    """
    return _unit(value, _SECONDS if unit == "s" else _BYTES)[0]


def amount(value: float, unit: str) -> str:
    """A number with its unit: seconds and bytes scaled, ratios with ×, anything else as it is.

    >>> amount(0.0123, "s"), amount(20.0, "x"), amount(0.01, "")
    ('12.3 ms', '20.0×', '0.0100')
    """
    if unit == "s":
        return seconds(value)
    if unit in ("B", "bytes"):
        return size(value)
    if unit in ("x", "×"):
        return f"{digits(value)}×"
    return f"{digits(value)} {unit}".rstrip()


def bound(value: float, unit: str) -> str:
    """A configured bound, written as it was set rather than to three digits.

    >>> bound(20.0, "s"), bound(500.0, "x"), bound(0.05, "")
    ('20 s', '500×', '0.05')
    """
    if unit in ("B", "bytes"):
        return size(value)
    return f"{value:,.12g}×" if unit in ("x", "×") else f"{value:,.12g} {unit}".rstrip()


def count(number: int, noun: str, plural: str = "") -> str:
    """A number and its noun.

    >>> count(1, "process", "processes"), count(2, "process", "processes")
    ('1 process', '2 processes')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def join(names: Sequence[str]) -> str:
    """Names as a phrase.

    >>> join(["a"]), join(["a", "b"]), join(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    """
    return " and ".join(names) if len(names) < 3 else f"{', '.join(names[:-1])} and {names[-1]}"


def outcome(record: Record, length: int = 160) -> str:
    """What became of a process, in plain words; for one that finished, ``finished``."""
    reason = shorten(record.reason, length)
    if record.status == "ok":
        return "finished"
    if record.status == "timeout":
        wall = record.limits.get("wall_s")
        return f"timed out at {limit(wall)}" if wall else "timed out"
    if record.status == "memory":
        return reason or "out of memory"
    if record.status == "wrong_answer":
        return _led("wrong answer", shorten(record.check.get("detail") or record.reason, length))
    if record.status == "crash":
        named = re.search(r"signal (\d+)", reason)
        meaning = _SIGNALS.get(int(named[1])) if named else None
        if named and meaning and meaning not in reason.lower():
            return f"crashed: signal {named[1]} ({meaning})"
    return _led(STATUS_WORDS[record.status], reason)


def _led(words: str, reason: str) -> str:
    """``words: reason``, without saying the words twice."""
    if not reason:
        return words
    return reason if reason.lower().startswith(words.partition(" ")[0]) else f"{words}: {reason}"


def _unit(value: float, units: tuple[tuple[float, str], ...]) -> tuple[float, str]:
    if value == 0:
        return units[0] if units is _SECONDS else units[-1]
    for divisor, name in units:
        # 0.9995 rounds up to the next unit at three digits.
        if abs(value) >= divisor * 0.9995:
            return divisor, name
    return units[-1]
