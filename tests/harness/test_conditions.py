"""Conditions match literally what they name, say what is here, and refuse what they do not know."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fabricate import MACHINE, record
from harness.conditions import match, require_known
from harness.errors import ConfigurationError, UnknownName

GIB = 2**30
A100_80 = {"name": "NVIDIA A100-SXM4-80GB", "memory_bytes": 81920 * 2**20}
A100_40 = {"name": "NVIDIA A100-SXM4-40GB", "memory_bytes": 40536 * 2**20}
SLICE = {"name": "NVIDIA A100 80GB PCIe MIG 1g.10gb", "memory_bytes": 9856 * 2**20}
H200 = {"name": "NVIDIA H200", "memory_bytes": 143771 * 2**20}
A10 = {"name": "NVIDIA A10", "memory_bytes": 23028 * 2**20}
A1000 = {"name": "NVIDIA RTX A1000", "memory_bytes": 8 * GIB}


def met(name: str, asked: str, **facts: Any) -> bool:
    """Whether one condition is met on the test machine with these facts changed."""
    return match({name: asked}, {**MACHINE, **facts}, [])[0]


@pytest.mark.parametrize(
    ("asked", "gpu", "expected"),
    [
        ("A100 80GB", A100_80, True),
        ("A100 80GB", A100_40, False),
        ("A100 80GB", SLICE, False),
        ("A100 80GB", H200, False),
        ("A100 40GB", A100_40, True),
        ("A100", A1000, False),
        ("A100", A100_40, True),
        ("H200 141GB", H200, True),
        ("A10 24GB", A10, True),
        ("A100 80GB|H200", H200, True),
        ("any", A10, True),
        ("none", A10, False),
        ("any 80GB", A100_80, True),
        ("A100 80GB", {"name": "NVIDIA A100 80GB PCIe", "memory_bytes": None}, True),
    ],
)
def test_gpu(asked: str, gpu: dict[str, Any], expected: bool) -> None:
    """The model by whole words and the memory class by bytes; a slice of a GPU is not that GPU."""
    assert met("gpu", asked, gpus=[gpu]) is expected


def test_no_gpu_is_said() -> None:
    """Without a GPU the condition says so, with what was asked."""
    ok, found, why = match({"gpu": "A100 80GB", "cuda": "12.2"}, MACHINE, [])
    assert not ok
    assert found == {"gpu": "no GPU", "cuda": "no CUDA"}
    assert why == ["gpu must be A100 80GB, here: no GPU", "cuda must be 12.2, here: no CUDA"]
    assert met("gpu", "none")


@pytest.mark.parametrize(
    ("asked", "here", "expected"),
    [
        ("12.2", "12.2", True),
        ("12.2", "12.2.140", True),
        ("12.2", "12.20", False),
        ("12.2", "12.4", False),
        (">=12.2", "13.0", True),
        (">=12.10", "12.9", False),
        ("12", "12.4", True),
    ],
)
def test_cuda(asked: str, here: str, expected: bool) -> None:
    """A version is compared part by part, as many as are written."""
    assert met("cuda", asked, cuda=here) is expected


def test_numbers() -> None:
    """Cores, memory (the cgroup's limit where there is one) and threads against bounds."""
    assert met("cores", ">=2")
    assert met("cores", "2")
    assert not met("cores", ">=16")
    assert met("memory_gib", ">=16")
    assert not met("memory_gib", ">=16", cgroup={"memory_bytes": 4 * GIB})
    assert not met("memory_gib", ">=16", memory_bytes=0)
    assert match({"steal": "<=0.02"}, MACHINE, [record(interference={"steal": 0.01})])[0]
    assert not match({"steal": "<=0.02"}, MACHINE, [record(interference={"steal": 0.03})])[0]


def test_what_is_not_known_is_not_met() -> None:
    """No steal, provenance or device recorded of a trial that was played; one that was not played says nothing."""
    for name, asked, unknown in (
        ("steal", "<=0.02", record(interference={})),
        ("provenance", "real", record(data={})),
    ):
        met, found, why = match({name: asked}, MACHINE, [unknown])
        assert (met, found) == (False, {name: "not known"})
        assert why == [f"{name} must be {asked}, here: not known"]
        assert match({name: asked}, MACHINE, [replace(unknown, status="unavailable")])[0]
        assert match({name: asked}, MACHINE, [replace(unknown, status="error", wall=0.0)])[0]
    mixed = [record(interference={"steal": 0.01}), record(interference={})]
    assert match({"steal": "<=0.02"}, MACHINE, mixed)[1] == {"steal": "0.01, not known"}
    assert not match({"steal": "<=0.02"}, MACHINE, mixed)[0]


def test_words() -> None:
    """Names by their words, the machine's key literally."""
    assert met("os", "Linux", os="Linux, Debian GNU/Linux 12")
    assert met("cpu", "test")
    assert not met("governor", "performance")
    assert met("machine", "test-machine")
    assert not met("machine", "test")


def test_trials() -> None:
    """Every trial has to meet it; without a trial it is neither met nor unmet."""
    real, made = record(data={"provenance": "real"}), record(data={"provenance": "synthetic"})
    assert match({"provenance": "real"}, MACHINE, [real])[0]
    assert match({"provenance": "real"}, MACHINE, [real, made])[1:] == (
        {"provenance": "real, synthetic"},
        ["provenance must be real, here: real, synthetic"],
    )
    assert match({"provenance": "real|synthetic"}, MACHINE, [real, made])[0]
    assert match({"provenance": "real"}, MACHINE, [])[0]
    assert match({"threads": ">=2"}, MACHINE, [record(threads=1)])[2] == ["threads must be >=2, here: 1"]


def test_unknown_condition_gets_near_misses() -> None:
    """A misspelt condition is a configuration error, never silently met."""
    with pytest.raises(UnknownName, match="Did you mean 'cuda'"):
        require_known({"cudda": "12.2"})


@pytest.mark.parametrize(
    ("name", "asked"), [("cores", "many"), ("cuda", "twelve"), ("memory_gib", ">=1.2.3"), ("cores", "=>2")]
)
def test_a_bound_that_is_none(name: str, asked: str) -> None:
    """Nonsense in a bound is a configuration error that quotes it."""
    with pytest.raises(ConfigurationError, match="requires: "):
        require_known({name: asked})
