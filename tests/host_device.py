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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.compute.clock import Clock, Span
from tcs.persistence.cuda.device import LANES, WARPS, Scratch
from tcs.persistence.cuda.source import Parameter, arguments, kernels, source
from tcs.persistence.cuda.tally import Tally

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
        # two processes may build the same at once
        with tempfile.TemporaryDirectory(dir=folder) as made:
            program = Path(made, "kernels.cpp")
            program.write_text(f'#include "{SHIM / "shim.hpp"}"\n{text}\n{dispatcher()}\n')
            common = [COMPILER, "-std=c++17", "-fPIC", "-ffp-contract=off", "-U_FORTIFY_SOURCE", "-Wall", "-Wextra"]
            common += ["-Werror", "-Wno-unused-parameter", "-Wno-unused-function", "-Wno-clobbered", "-O2"]
            objects = [f"{made}/kernels.o", f"{made}/runtime.o"]
            _compile([*common, *flags, f"-DDIMENSION={dimension}", "-c", str(program), "-o", objects[0]])
            _compile([*common, *runtime_flags, "-c", str(SHIM / runtime), "-o", objects[1]])
            _compile([COMPILER, "-shared", *runtime_flags, *objects, "-o", f"{made}/whole.so", "-pthread"])
            Path(made, "whole.so").rename(library)
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

    xp: Any = np

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
        self.tally = Tally(Clock())

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
        """The array itself, entered as a GPU would."""
        self.tally.fetched.append(int(array.nbytes))
        found: NDArray[Any] = np.asarray(array)
        return found

    def clock(self, span: Span | None) -> Clock:
        """A clock of this machine."""
        return Clock(span)


class HostGpu(HostDevice):
    """A device of this machine that has so much memory, a pool of it, and a bandwidth, as a GPU says it has.

    Attributes:
        room: bytes in all. ``largest``: of the longest piece that the driver has, if one is asked for.
        growth: pieces that every computation asks the driver for, as if the pool were too small.
    """

    room = largest = 2**40
    growth = 0
    held = 0

    def free(self) -> int:
        return self.room

    def name(self) -> str:
        return "a host"

    def pool(self) -> int:
        return self.held

    def reserve(self, size: int) -> None:
        if size > self.largest:
            raise MemoryError(f"out of memory allocating {size:,} bytes")
        self.held += size

    @contextmanager
    def allocations(self) -> Iterator[list[int]]:
        found: list[int] = []
        yield found
        found += [512] * self.growth

    def bandwidth(self) -> float:
        return 1e12


class Held(np.ndarray):
    """An array in the memory of a device, of which a host sees no value, and that does not meet arrays of the host."""

    def _refuse(self, *args: Any, **more: Any) -> Any:
        raise AssertionError("a value leaves the device, and not by to_host")

    __bool__ = __int__ = __float__ = __index__ = item = tolist = _refuse

    def __iter__(self) -> Any:
        return super().__iter__() if self.ndim > 1 else self._refuse()

    def __getitem__(self, place: Any) -> Any:
        return _held(super().__getitem__(place))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **more: Any) -> Any:
        refuse_arrays_of_the_host(inputs)
        if "out" in more:
            more["out"] = tuple(each.view(np.ndarray) for each in more["out"])
        plain = [each.view(np.ndarray) if isinstance(each, Held) else each for each in inputs]
        return _held(getattr(ufunc, method)(*plain, **more))


def _held(found: Any) -> Any:
    """A result, a single number too, as an array of the device."""
    return np.asarray(found).view(Held)


def refuse_arrays_of_the_host(values: Any) -> None:
    """Raise where CuPy would: at an array of numpy, which is not on the device."""
    for each in values:
        if isinstance(each, list | tuple):
            refuse_arrays_of_the_host(each)
        assert not isinstance(each, np.ndarray) or isinstance(each, Held), "an array of the host meets the device"


class HeldArrays:
    """numpy, by whose functions arrays are made and changed on the device only."""

    def __getattr__(self, name: str) -> Any:
        function = getattr(np, name)

        def on_the_device(*args: Any, **more: Any) -> Any:
            if name != "asarray":
                refuse_arrays_of_the_host(args)
            return _held(function(*args, **more))

        return on_the_device


class ClosedDevice(HostDevice):
    """A device of this machine whose memory is as closed to the host as that of a GPU."""

    xp: Any = HeldArrays()

    def _run(self, name: str, blocks: int, threads: int, shared: int, values: tuple[Any, ...]) -> None:
        refuse_arrays_of_the_host(values)
        super()._run(name, blocks, threads, shared, values)

    def to_host(self, array: Any) -> NDArray[Any]:
        """A copy."""
        assert isinstance(array, Held)
        return super().to_host(array).view(np.ndarray).copy()
