"""Tensors bound by address give what the same graph gives for arrays, by either set of methods."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from embedders import TOKENS, decoder, model, outputs
from tcs.embedder.binding import Binding


class Public:
    """A session whose bindings have no private part, as if its name had changed."""

    def __init__(self, session: Any) -> None:
        self.session = session

    def io_binding(self) -> Any:
        real = self.session.io_binding()
        names = ("bind_input", "bind_output", "bind_cpu_input", "synchronize_outputs")
        return SimpleNamespace(real=real, **{name: getattr(real, name) for name in names})

    def run_with_iobinding(self, binding: Any) -> None:
        self.session.run_with_iobinding(binding.real)


def test_both_ways_of_binding_are_the_same() -> None:
    """The runtime's private methods are quicker; its public ones stand in, bit for bit."""
    quick, slow = decoder(), decoder()
    slow._binding = Binding(Public(model().session))
    slow._host = slow._there = slow._binding.at("cpu")
    assert (quick._binding._direct, slow._binding._direct) == (True, False)
    for tokens in (TOKENS[:20], TOKENS[20:21], TOKENS[21:]):
        np.testing.assert_array_equal(outputs(quick, tokens), outputs(slow, tokens))
    assert slow._binding.at("cuda") == ("cuda", 0)
