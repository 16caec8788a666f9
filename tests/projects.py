"""Small benchmark projects for the tests of the command line, and a stand-in for the session that runs them."""

from __future__ import annotations

from pathlib import Path

CONFIG = "defaults: [base_config, _self_, {conf: alpha}]\n"
ALPHA = """\
# @package _global_
phase: Alpha
cases:
  torus: {case: x.torus, params: {n: [1, 2]}, processes: 3}
"""
BETA = """\
# @package _global_
phase: Beta
gates:
  someday: {title: Some day, kind: absolute, below: 1.0, blocked: nobody wrote it yet}
"""
STAND_IN = '''\
"""Puts a stand-in in the place of harness.session: it prints what it is asked and returns a chosen status."""
import os, sys, types

def perform(config, project):
    print("performs", config.phase, config.title, config.lock_wait_s, flush=True)
    if config.title == "bug":
        raise ValueError("boom")
    if config.title == "killed":
        os.kill(os.getpid(), 9)
    if config.title == "stopped":
        raise KeyboardInterrupt
    return {"Alpha": 0, "Beta": 11}[config.phase]

session = types.ModuleType("harness.session")
session.perform = perform
sys.modules["harness.session"] = session
'''


def project(folder: Path) -> Path:
    """A project with two configurations, ``alpha`` (the default) and ``beta``, and no suite."""
    (folder / "conf" / "conf").mkdir(parents=True)
    (folder / "benchmarks").mkdir()
    (folder / "conf" / "config.yaml").write_text(CONFIG)
    (folder / "conf" / "conf" / "alpha.yaml").write_text(ALPHA)
    (folder / "conf" / "conf" / "beta.yaml").write_text(BETA)
    return folder


def stand_in(folder: Path) -> Path:
    """A folder for PYTHONPATH that replaces the session in every Python process started with it."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(STAND_IN)
    return folder
