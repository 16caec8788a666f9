"""Exact persistent homology of point clouds, distance matrices and images, up to millions of points on a CPU or a GPU.

Importing this is cheap: numba and the compiled kernels are loaded by the first call.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tcs.persistence.alpha_complex import alpha
    from tcs.persistence.barcode import Barcode
    from tcs.persistence.batch_rips import rips_batch
    from tcs.persistence.cubical import lower_star
    from tcs.persistence.cuda.backend import reserve_gpu
    from tcs.persistence.errors import (
        DeviceError,
        FolderError,
        InputError,
        MemoryForecastError,
        PersistenceError,
        SlowWarning,
        WorkerError,
    )
    from tcs.persistence.tiled_rips import rips_in_tiles
    from tcs.persistence.transformer import RipsPersistence
    from tcs.persistence.vietoris_rips import rips

_PLACES = {
    "Barcode": "barcode",
    "DeviceError": "errors",
    "FolderError": "errors",
    "InputError": "errors",
    "MemoryForecastError": "errors",
    "PersistenceError": "errors",
    "RipsPersistence": "transformer",
    "SlowWarning": "errors",
    "WorkerError": "errors",
    "alpha": "alpha_complex",
    "lower_star": "cubical",
    "reserve_gpu": "cuda.backend",
    "rips": "vietoris_rips",
    "rips_batch": "batch_rips",
    "rips_in_tiles": "tiled_rips",
}

__all__ = [
    "Barcode",
    "DeviceError",
    "FolderError",
    "InputError",
    "MemoryForecastError",
    "PersistenceError",
    "RipsPersistence",
    "SlowWarning",
    "WorkerError",
    "alpha",
    "lower_star",
    "reserve_gpu",
    "rips",
    "rips_batch",
    "rips_in_tiles",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
