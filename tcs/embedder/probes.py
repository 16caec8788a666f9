"""What of a graph's behaviour its names do not tell: which padding it takes, and how its keys are turned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tcs.embedder.batch import pad
from tcs.embedder.errors import ContractError, InputError
from tcs.embedder.rotary import LAYOUTS, turn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tcs.embedder.model import Model

TOKENS, PADS = 6, 3
# Two passes over the same tokens agree to this, relative to the largest output, if padding is heeded; a graph that
# looks at its padding is off by some hundredths and more. Quantised activations differ with their company.
AGREE = {np.dtype(np.float32): 2e-3, np.dtype(np.float16): 1e-2}
# Positions at which keys are compared: every plane of a head has turned by a good part of a circle at one of them.
APART = (1, 100, 1000)
TURNED = 0.05


def safe_paddings(model: Model) -> frozenset[str]:
    """Sides, of ``left`` and ``right``, on which a sequence can be padded without a change to its outputs.

    Graphs with plain attention take both; those with GroupQueryAttention are silently wrong under left padding.
    """
    tokens = np.arange(1, TOKENS + 1)
    alone = model.outputs(tokens[None])[0].astype(np.float64)
    bound = AGREE[np.dtype(model.contract.output_type)] * float(np.abs(alone).max())
    safe = set()
    for side in ("left", "right"):
        (place,), *fed = pad([tokens], TOKENS + PADS, left=side == "left")
        found = model.outputs(*fed)[0, place].astype(np.float64)
        if float(np.abs(found - alone).max()) <= bound:
            safe.add(side)
    return frozenset(safe)


def rotary_layout(model: Model, theta: float) -> str:
    """How the planes of a rotary key lie in a head, found by moving one token to other positions.

    Raises:
        ContractError: the keys are not rotary, or not with this base, or the graph takes no positions.
    """
    if not model.contract.positions:
        raise ContractError(f"{model.path.name} takes no position_ids, so its keys cannot be turned back")
    try:
        written = [_first_key(model, position) for position in (0, *APART)]
    except InputError as error:
        raise ContractError(f"the keys of {model.path.name} are not rotary, for its positions end: {error}") from error
    fits = []
    for layout in LAYOUTS:
        off = 0.0
        for position, right in zip(APART, written[1:], strict=True):
            turned = written[0].copy()
            turn(turned, position, theta, layout)
            off = max(off, float(np.abs(turned - right).max() / np.abs(right).max()))
        fits.append(off)
    best = int(np.argmin(fits))
    if not fits[best] <= TURNED or np.abs(written[0] - written[1]).max() == 0:
        raise ContractError(
            f"the keys of {model.path.name} do not turn with their position as rotary ones of base {theta:g} do (off "
            f"by {min(fits):.2g} of their size); is it rotary, and is theta right?"
        )
    return LAYOUTS[best]


def _first_key(model: Model, position: int) -> NDArray[np.float64]:
    """The key (1, kv_heads, 1, head_size) of the first layer for one token at a position."""
    feeds = model.feeds(np.ones((1, 1), np.int64), positions=np.full((1, 1), position))
    return model.run(model.contract.present[0], feeds).astype(np.float64)
