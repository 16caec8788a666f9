"""What a GPU tells of itself while it works, by NVML, the library that comes with its driver: load, power, clock."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import fmean
from typing import Any

LIBRARY = "libnvidia-ml.so.1"
PERIOD_S = 0.2
"""Between two looks: NVML's own utilisation is that of its last 1/6 to 1 s."""
_SM_CLOCK = 1


class NvmlError(Exception):
    """NVML is not there, or does not know the GPU; the message says which."""


class _Utilisation(ctypes.Structure):
    _fields_ = (("gpu", ctypes.c_uint), ("memory", ctypes.c_uint))


class Gpu:
    """A GPU as NVML sees it.

    Args:
        address: on the PCI bus, for example ``0000:41:00.0``. ``library``: name or path of NVML.

    Raises:
        NvmlError: there is no NVML, or no such GPU.
    """

    def __init__(self, address: str, library: str = LIBRARY) -> None:
        try:
            self._nvml = ctypes.CDLL(library)
        except OSError as error:
            raise NvmlError(f"NVML cannot be loaded: {error}") from error
        self._require("nvmlInit_v2")
        self._gpu = ctypes.c_void_p()
        try:
            self._require("nvmlDeviceGetHandleByPciBusId_v2", address.encode(), ctypes.byref(self._gpu))
        except NvmlError:
            self.close()
            raise

    def read(self) -> dict[str, tuple[float, str]]:
        """Name to value and unit, of what this GPU and this user's rights let it tell."""
        busy, power, clock = _Utilisation(), ctypes.c_uint(), ctypes.c_uint()
        found = {}
        if self._ask("nvmlDeviceGetUtilizationRates", self._gpu, ctypes.byref(busy)) == 0:
            found["gpu_utilisation"] = float(busy.gpu), "%"
            found["gpu_memory_utilisation"] = float(busy.memory), "%"
        if self._ask("nvmlDeviceGetPowerUsage", self._gpu, ctypes.byref(power)) == 0:
            found["gpu_power"] = power.value / 1e3, "W"
        if self._ask("nvmlDeviceGetClockInfo", self._gpu, _SM_CLOCK, ctypes.byref(clock)) == 0:
            found["gpu_clock"] = float(clock.value), "MHz"
        return found

    def close(self) -> None:
        """Let go of NVML."""
        self._ask("nvmlShutdown")

    def _require(self, name: str, *values: Any) -> None:
        if code := self._ask(name, *values):
            words = self._nvml.nvmlErrorString
            words.restype = ctypes.c_char_p
            raise NvmlError(f"{name}: {(words(code) or b'an unknown error').decode(errors='replace')}")

    def _ask(self, name: str, *values: Any) -> int:
        return int(getattr(self._nvml, name)(*values))


@contextmanager
def watched(gpu: Gpu, period: float = PERIOD_S) -> Iterator[dict[str, dict[str, Any]]]:
    """Look at a GPU every ``period`` seconds, from a thread of its own, and close it at the end.

    Yields:
        Metrics, filled in at the end: the mean of each reading under its name and the largest under ``<name>_max``;
        none if the end came before the first look.
    """
    metrics: dict[str, dict[str, Any]] = {}
    seen: dict[tuple[str, str], list[float]] = {}
    over = threading.Event()

    def look() -> None:
        while not over.wait(period):
            for name, (value, unit) in gpu.read().items():
                seen.setdefault((name, unit), []).append(value)

    thread = threading.Thread(target=look, name="nvml", daemon=True)
    thread.start()
    try:
        yield metrics
    finally:
        over.set()
        thread.join()
        gpu.close()
    for (name, unit), values in seen.items():
        for called, value in ((name, fmean(values)), (f"{name}_max", max(values))):
            metrics[called] = {"value": value, "unit": unit, "direction": "lower" if unit == "W" else "higher"}
