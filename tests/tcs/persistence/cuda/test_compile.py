"""The kernels compile for every GPU that they are meant for, without a warning, by the compilers of CUDA 12 and 13."""

from __future__ import annotations

import pytest

from nvrtc import Nvrtc, library
from tcs.persistence.cuda.source import kernels, options, source

ARCHITECTURES = ("sm_80", "sm_90", "sm_120")


@pytest.fixture(params=["12", "13"])
def compiler(request: pytest.FixtureRequest) -> Nvrtc:
    place = library(request.param)
    if place is None:
        pytest.skip(f"the compiler of CUDA {request.param} is not installed: pip install -e '.[cuda-check]'")
    return Nvrtc(place)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("dimension", [1, 3, 12])
def test_kernels_compile_without_a_warning(compiler: Nvrtc, architecture: str, dimension: int) -> None:
    code, log = compiler.compile(source(), (*options(dimension), f"-arch={architecture}"))
    assert log.strip("\0\n ") == ""
    assert code.startswith(b"\x7fELF")


def test_a_warning_is_seen(compiler: Nvrtc) -> None:
    text = source().replace("EACH(i, n) ranks[order[i]] = (u32)i;", "u32 spare; EACH(i, n) ranks[order[i]] = (u32)i;")
    code, log = compiler.compile(text, (*options(3), "-arch=sm_90"))
    assert code
    assert "spare" in log


def test_no_multiplication_is_contracted(compiler: Nvrtc) -> None:
    """A fused multiply-add in a squared length is another number; without the option there are many."""
    code, _ = compiler.compile(source(), (*options(3), "-arch=compute_80"), "PTX")
    assert code.count(b"fma.rn") == 0
    contracted = tuple(each for each in options(3) if "fmad" not in each)
    code, _ = compiler.compile(source(), (*contracted, "-arch=compute_80"), "PTX")
    assert code.count(b"fma.rn.f64") > 5


def test_lengths_below_the_normal_numbers_stay_what_they_are(compiler: Nvrtc) -> None:
    """CuPy has the compiler take such float32 numbers for 0, everywhere but where the kernels round a length."""
    code, _ = compiler.compile(source(), (*options(3), "-ftz=true", "-arch=compute_80"), "PTX")
    assert code.count(b"cvt.rn.f32.f64") == 3
    assert b"cvt.rn.ftz.f32.f64" in code


def test_every_kernel_has_parameters() -> None:
    assert {"lunes", "push_down", "claim", "add_owners", "hook", "find_rows"} <= set(kernels())
    assert source().count("__global__") == len(kernels())
