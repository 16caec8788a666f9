"""Tensors bound to a graph by their addresses, so that nothing is copied on the way in or out."""

from __future__ import annotations

from typing import Any


class Binding:
    """Inputs and outputs of the runs of one sequence.

    ``bind_input`` and ``bind_output`` take a name, ``*at("cpu")`` or ``*at("cuda")``, the type, the shape and an
    address. Whoever binds an address keeps alive what lies there.
    """

    def __init__(self, session: Any) -> None:
        self._session = session
        self._whole = session.io_binding()
        # The methods of the C++ object beneath it: those of the Python object take 0.15 ms more a step for 24 layers.
        # Its name is not public, so the others stand in should it go.
        raw = getattr(self._whole, "_iobinding", None)
        self._direct = raw is not None
        self.bind_input: Any = (raw or self._whole).bind_input
        self.bind_output: Any = (raw or self._whole).bind_output

    def at(self, device: str) -> tuple[Any, ...]:
        """The arguments that name a device."""
        if not self._direct:
            return (device, 0)
        from onnxruntime import OrtDevice

        return (OrtDevice.make(device, 0)._get_c_device(),)

    def hold(self, name: str, value: Any) -> None:
        """Bind an input that stays as it is."""
        self._whole.bind_cpu_input(name, value)

    def run(self) -> None:
        """Run the graph; it has written all outputs when this returns."""
        self._session.run_with_iobinding(self._whole)
        self._whole.synchronize_outputs()
