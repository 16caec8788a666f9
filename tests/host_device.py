"""A device of this machine: the kernels of :mod:`tcs.persistence.cuda`, the same text, built by a C++ compiler.

The host code of the engine runs on it as it is. CUDA threads are fibers, or threads of the system for sanitizers; see
``shim/``. Arguments are checked as for a GPU.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.compute.clock import Clock, Span
from tcs.persistence.cuda.device import LANES, WARPS, Scratch
from tcs.persistence.cuda.source import Parameter, arguments, kernels, source

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHIM = Path(__file__).parent / "shim"
COMPILER = shutil.which("g++")
C_TYPES = {np.uint8: "u8", np.uint32: "u32", np.uint64: "u64", np.float32: "f32", np.float64: "f64"}
# Threads of a block.
THREADS = 64


def dispatcher() -> str:
    """C++ text of ``call_kernel``, made from the parameters that the kernels declare."""
    lines = ["bool call_kernel(const char* name, void** at) {"]
    for name, parameters in kernels().items():
        given = ", ".join(_taken(i, each) for i, each in enumerate(parameters))
        lines.append(f'    if (!strcmp(name, "{name}")) {{ {name}({given}); return true; }}')
    return "\n".join([*lines, "    return false;", "}"])


def _taken(i: int, parameter: Parameter) -> str:
    kind = C_TYPES[parameter.type]
    return f"({kind}*)at[{i}]" if parameter.array else f"*({kind}*)at[{i}]"


@functools.cache
def built(dimension: int, text: str, runtime: str, flags: tuple[str, ...], runtime_flags: tuple[str, ...]) -> Path:
    """The kernels and a runtime as a shared library, built once for the same text and flags."""
    if COMPILER is None:
        raise FileNotFoundError("g++ is not installed; the tests of the CUDA kernels on this machine need it")
    parts = [text, dispatcher(), (SHIM / "shim.hpp").read_text(), (SHIM / runtime).read_text(), repr(flags)]
    key = hashlib.sha256("\0".join([*parts, repr(runtime_flags), str(dimension)]).encode()).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"tcs-host-kernels-{key}"
    library = folder / "kernels.so"
    if not library.exists():
        folder.mkdir(exist_ok=True)
        program = folder / "kernels.cpp"
        program.write_text(f'#include "{SHIM / "shim.hpp"}"\n{text}\n{dispatcher()}\n')
        common = [COMPILER, "-std=c++17", "-fPIC", "-ffp-contract=off", "-U_FORTIFY_SOURCE", "-Wall", "-Wextra"]
        common += ["-Werror", "-Wno-unused-parameter", "-Wno-unused-function", "-Wno-clobbered"]
        _compile([*common, "-O2", *flags, f"-DDIMENSION={dimension}", "-c", str(program), "-o", f"{folder}/kernels.o"])
        _compile([*common, "-O2", *runtime_flags, "-c", str(SHIM / runtime), "-o", f"{folder}/runtime.o"])
        whole = f"{folder}/whole.so"
        objects = [f"{folder}/kernels.o", f"{folder}/runtime.o"]
        _compile([COMPILER, "-shared", *runtime_flags, *objects, "-o", whole, "-pthread"])
        Path(whole).rename(library)
    return library


def _compile(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr}"


class HostDevice:
    """Kernels for clouds of one dimension, on this machine.

    Args:
        seed: 0 to let threads run in turns; any other one interleaves all threads of a launch at random, the same
            seed in the same way.
        sanitizer: "thread" or "address", to run them as threads of the system, looked after by that sanitizer; its
            library must have been loaded before Python.
        change: makes other kernels of the text.
    """

    xp = np

    def __init__(
        self, dimension: int, *, seed: int = 0, sanitizer: str = "", change: Callable[[str], str] = lambda text: text
    ) -> None:
        flags, runtime, runtime_flags = (), "fibers.cpp", ()  # type: tuple[str, ...], str, tuple[str, ...]
        if seed:
            # the compiler marks loads and stores; the runtime takes the marks for places to switch
            flags = ("-fsanitize=thread", "-O1")
        if sanitizer:
            flags = runtime_flags = (f"-fsanitize={sanitizer}", "-g", "-O1")
            runtime = "threads.cpp"
        library = ctypes.CDLL(str(built(dimension, change(source()), runtime, flags, runtime_flags)))
        self._launch = library.launch
        self._launch.restype = ctypes.c_bool
        self._launch.argtypes = [
            ctypes.c_char_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint, ctypes.c_size_t, ctypes.c_ulonglong,
        ]  # fmt: skip
        self.seed = seed
        # threads of the system take long to begin
        self._threads = LANES if sanitizer else THREADS
        self.most_warps = WARPS if sanitizer else 2 * WARPS
        self.launches: dict[str, int] = {}

    def launch(self, name: str, work: int, *values: Any) -> None:
        """Run a kernel on a few threads, each with its share of the work."""
        if work:
            self._run(name, 2, self._threads, 0, values)

    def launch_warps(self, name: str, scratch: Scratch, *values: Any) -> None:
        """Run a kernel with as many warps as there is scratch for."""
        self._run(name, scratch.blocks, WARPS * LANES, scratch.shared, values)

    def _run(self, name: str, blocks: int, threads: int, shared: int, values: tuple[Any, ...]) -> None:
        self.launches[name] = self.launches.get(name, 0) + 1
        taken = arguments(name, values)
        addresses = (ctypes.c_void_p * len(taken))()
        kept = []
        for i, value in enumerate(taken):
            if isinstance(value, np.ndarray):
                addresses[i] = value.ctypes.data
            elif kernels()[name][i].array:
                addresses[i] = None
            else:
                kept.append(np.array(value))
                addresses[i] = kept[-1].ctypes.data
        seed = (self.seed * 1_000_003 + sum(self.launches.values())) if self.seed else 0
        self._launch(name.encode(), addresses, blocks, threads, shared, seed)

    def to_host(self, array: Any) -> NDArray[Any]:
        """The array itself."""
        found: NDArray[Any] = np.asarray(array)
        return found

    def clock(self, span: Span | None) -> Clock:
        """A clock of this machine."""
        return Clock(span)
