"""Many texts at once, each on its own: padded passes from an empty cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.embedder.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tcs.embedder.model import Model

# Tokens of one pass, padding among them: enough to keep a machine busy, few enough for the logits.
TOKENS_A_PASS = 2048
# A text joins a pass if no more than this part of it is padding.
PADDING = 0.25


def groups(lengths: list[int], most: int = TOKENS_A_PASS) -> Iterator[list[int]]:
    """Numbers of the texts that go into one pass, those of like length together.

    Args:
        most: tokens of a pass, unless one text alone has more.

    >>> list(groups([5, 900, 6, 2000]))
    [[0, 2], [1], [3]]
    """
    group: list[int] = []
    for i in sorted(range(len(lengths)), key=lambda i: (lengths[i], i)):
        members = [*group, i]
        padded = len(members) * lengths[i]
        waste = padded - sum(lengths[j] for j in members)
        if group and (padded > most or waste > PADDING * padded):
            yield group
            members = [i]
        group = members
    if group:
        yield group


def padded_outputs(model: Model, texts: list[NDArray[np.int64]]) -> list[NDArray[Any]]:
    """Outputs (n, width) of each text's tokens (n,), in one pass.

    Padding goes to the right, where a causal graph cannot see it; else to the left.

    Raises:
        ContractError: the texts are of unequal length, and the graph takes padding on neither side.
    """
    longest = max(map(len, texts))
    even = min(map(len, texts)) == longest
    if not even and not model.paddings:
        raise ContractError(f"{model.path.name} gives other outputs for padded texts; embed them one by one")
    places, *fed = pad(texts, longest, left=not (even or "right" in model.paddings))
    found = model.outputs(*fed)
    return [found[row, place] for row, place in enumerate(places)]


def pad(
    texts: list[NDArray[np.int64]], length: int, *, left: bool
) -> tuple[list[slice], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Where each text's tokens (n,) lie in a row; and tokens, mask and positions of all rows, (texts, length) each."""
    places = [slice(length - len(text), None) if left else slice(None, len(text)) for text in texts]
    tokens, mask = np.zeros((len(texts), length), np.int64), np.zeros((len(texts), length), np.int64)
    for row, (text, place) in enumerate(zip(texts, places, strict=True)):
        tokens[row, place], mask[row, place] = text, 1
    return places, tokens, mask, np.maximum(mask.cumsum(1) - 1, 0)
