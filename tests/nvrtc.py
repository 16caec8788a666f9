"""CUDA's compiler as a library, from the wheels of NVIDIA: it needs no GPU, no driver and no toolkit."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

# Folders of the wheels for CUDA 12 and 13 in site-packages.
PLACES = {"12": "nvidia/cuda_nvrtc/lib/libnvrtc.so.12", "13": "nvidia/cu13/lib/libnvrtc.so.13"}


def library(major: str) -> Path | None:
    """The compiler of CUDA 12 or 13, if its wheel is installed."""
    for folder in map(Path, sys.path):
        if (folder / PLACES[major]).is_file():
            return folder / PLACES[major]
    return None


class Nvrtc:
    """The compiler in one library."""

    def __init__(self, place: Path) -> None:
        # which it would otherwise look for on the system's paths
        for builtins in place.parent.glob("libnvrtc-builtins.so.*"):
            ctypes.CDLL(str(builtins), mode=ctypes.RTLD_GLOBAL)
        self._library = ctypes.CDLL(str(place))

    @property
    def version(self) -> str:
        """Such as 13.0."""
        major, minor = ctypes.c_int(), ctypes.c_int()
        self._check(self._library.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor)))
        return f"{major.value}.{minor.value}"

    def compile(self, text: str, options: tuple[str, ...], code: str = "CUBIN") -> tuple[bytes, str]:
        """Machine code of a text, or PTX, and what the compiler says, warnings too; no code if it does not compile."""
        program, size = ctypes.c_void_p(), ctypes.c_size_t()
        given = (ctypes.c_char_p * len(options))(*(each.encode() for each in options))
        self._check(
            self._library.nvrtcCreateProgram(ctypes.byref(program), text.encode(), b"kernels.cu", 0, None, None)
        )
        failed = self._library.nvrtcCompileProgram(program, len(options), given)
        self._check(self._library.nvrtcGetProgramLogSize(program, ctypes.byref(size)))
        log = ctypes.create_string_buffer(size.value)
        self._check(self._library.nvrtcGetProgramLog(program, log))
        found = b""
        if not failed:
            self._check(getattr(self._library, f"nvrtcGet{code}Size")(program, ctypes.byref(size)))
            room = ctypes.create_string_buffer(size.value)
            self._check(getattr(self._library, f"nvrtcGet{code}")(program, room))
            found = room.raw
        self._check(self._library.nvrtcDestroyProgram(ctypes.byref(program)))
        return found, log.value.decode()

    def _check(self, status: int) -> None:
        assert status == 0, f"NVRTC: error {status}"
