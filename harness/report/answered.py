"""What is known about one player's answer, in words: confirmed by whom, unconfirmed, wrong and how."""

from __future__ import annotations

from collections.abc import Sequence

from harness import wording
from harness.judging.agreement import Agreement
from harness.record import Record


def about_answer(player: str, role: str, records: Sequence[Record], agreed: Agreement) -> tuple[str, str]:
    """What is known about the answer, in words, and its kind."""
    if role == "control":
        if player in agreed.controls_caught:
            failed = next((record for record in records if record.status == "wrong_answer"), None)
            how = (
                wording.shorten(failed.check.get("detail") or failed.reason, 110)
                if failed
                else "differs from the consensus"
            )
            return f"caught, as it must be: {how or 'wrong answer'}", "caught"
        if player in agreed.controls_missed:
            return "MISSED: its planted error went unnoticed", "missed"
        return "gave no answer to catch", "none"
    answered = [record for record in records if record.status in ("ok", "wrong_answer")]
    if not answered:
        return "", "none"
    failed = next(
        (record for record in answered if record.status == "wrong_answer" or record.check.get("ok") is False), None
    )
    if failed is not None:
        return (
            f"wrong: {wording.shorten(failed.check.get('detail') or failed.reason or 'the check failed', 130)}",
            "wrong",
        )
    if player in agreed.wrong:
        return f"wrong: differs from {_names(agreed.confirmed_by)}", "wrong"
    return _unfailed(answered, agreed)


def _unfailed(answered: Sequence[Record], agreed: Agreement) -> tuple[str, str]:
    last = answered[-1]
    check = last.check
    if not check:
        return "not checked", "unconfirmed"
    oracle = wording.shorten(check.get("oracle", ""), 60)
    if check.get("exact") is False:
        distance, tolerance = check.get("distance"), check.get("tolerance")
        if distance is not None and tolerance is not None:
            return (
                f"within tolerance: {wording.digits(distance)} ≤ {wording.digits(tolerance)} ({oracle})",
                "approximate",
            )
        return f"passed its check ({oracle})", "approximate"
    if agreed.consensus is not None and check.get("answer") == agreed.consensus:
        engine = last.engine or last.player
        return f"confirmed by {_names([name for name in agreed.confirmed_by if name != engine])}", "confirmed"
    if agreed.disputed:
        return f"disputed: the players gave {len(agreed.groups)} answers", "disputed"
    return f"unconfirmed: no independent engine gave it ({oracle} passed)" if oracle else "unconfirmed", "unconfirmed"


def _names(names: Sequence[str], most: int = 3) -> str:
    shown = [wording.shorten(name, 40) for name in names]
    return (
        ", ".join(shown) if len(shown) <= most else f"{', '.join(shown[: most - 1])} and {len(shown) - most + 1} more"
    )
