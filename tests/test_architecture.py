"""The shape of the house: which way imports point, what is public, and what never gets committed."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sorted(path for part in ("harness", "tcs", "benchmarks", "tests") for path in (ROOT / part).rglob("*.py"))
HEAVY = {"numpy", "scipy", "pandas", "matplotlib", "hydra", "omegaconf", "rich", "jinja2", "yaml", "packaging"}


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in the file it does."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module


def tracked() -> list[Path]:
    """Files that git knows, those not yet committed included."""
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.SubprocessError):
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize(
    ("importer", "forbidden"),
    [
        ("tcs", {"harness", "benchmarks", "tests"}),
        ("harness", {"benchmarks", "tcs", "tests"}),
        ("benchmarks", {"tests"}),
    ],
)
def test_imports_point_one_way(importer: str, forbidden: set[str]) -> None:
    """conf -> harness -> (by name, in a fresh process) benchmarks -> tcs and peers; nothing points back."""
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in (ROOT / importer).rglob("*.py")
        for name in imported(path)
        if name.split(".")[0] in forbidden
    }
    assert not wrong


def test_the_harness_names_no_suite() -> None:
    """The name of a suite occurs in no string and no identifier of the harness; docstrings may give examples."""
    suites = {path.name for path in (ROOT / "benchmarks").iterdir() if path.is_dir() and path.name != "__pycache__"}
    found = []
    for path in (ROOT / "harness").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            text = node.value if isinstance(node, ast.Constant) and id(node) not in prose else getattr(node, "id", "")
            if isinstance(text, str) and any(re.search(rf"\b{suite}\b", text) for suite in suites):
                found.append(f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}: {text!r}")
    assert not found


def test_datasets_is_no_package() -> None:
    """An importable `datasets` would shadow the package of that name."""
    assert not list((ROOT / "datasets").rglob("*.py"))


def test_importing_the_harness_is_light() -> None:
    """`import harness` loads nothing heavy: the parent of a timed child stays lean."""
    code = "import sys, json, harness; print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not HEAVY & set(json.loads(done.stdout))


def test_public_names() -> None:
    """What a suite may import from `harness`; a change here is a change of the interface."""
    import harness

    assert sorted(harness.__all__) == ["Check", "Problem", "Unavailable", "case", "player"]
    assert all(hasattr(harness, name) for name in harness.__all__)


def test_one_file_of_errors() -> None:
    """Every error that reaches a user lives in errors.py, whose docstring draws the tree."""
    import harness.errors

    classes = {
        name for name, value in vars(harness.errors).items() if isinstance(value, type) and issubclass(value, Exception)
    }
    stray = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in (ROOT / "harness").rglob("*.py")
        if path.name != "errors.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
        and any(isinstance(base, ast.Name) and base.id in classes for base in node.bases)
    ]
    assert not stray
    assert all(name in (harness.errors.__doc__ or "") for name in classes)


def test_no_module_is_long() -> None:
    """A file that passes 400 lines is hiding something."""
    sources = [path for path in PYTHON if not path.is_relative_to(ROOT / "tests")]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in sources}
    assert not {name: length for name, length in lengths.items() if length > 400}


def test_no_drawers_for_odds_and_ends() -> None:
    """One noun a module: no utils.py, helpers.py or common.py."""
    assert not [path for path in PYTHON if path.stem in {"utils", "util", "helpers", "common", "misc"}]


def test_every_module_says_what_it_is_for() -> None:
    """The first line of a module is a docstring; an empty __init__.py needs none."""
    silent = [
        str(path.relative_to(ROOT))
        for path in PYTHON
        if path.read_text(encoding="utf-8").strip()
        and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not silent


def test_nothing_is_unpickled_and_no_shell_is_started() -> None:
    """No pickle, no eval, no shell=True, and numpy files are read with allow_pickle=False."""
    wrong = []
    for path in PYTHON:
        if path.is_relative_to(ROOT / "tests"):
            continue
        text = path.read_text(encoding="utf-8")
        for number, line in enumerate(text.splitlines(), start=1):
            # a method of that name is another thing: torch's switches training off
            if re.search(r"\bpickle\.loads?\(|^\s*import pickle|(?<!\.)\b(eval|exec)\(|shell=True|os\.system\(", line):
                wrong.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
            if "yaml.load(" in line and "SafeLoader" not in line and "noqa: S506 - safe" not in line:
                wrong.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
            if re.search(r"\b(np|numpy)\.load\(", line) and "allow_pickle=False" not in line:
                wrong.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    assert not wrong


def test_no_addresses_of_registries_and_no_paths_of_a_machine() -> None:
    """What is committed works elsewhere: no package index, no home folder, no scratch folder."""
    hosts = [
        "py" + "pi.org",
        "files.python" + "hosted",
        "conda.ana" + "conda.org",
        "crates" + ".io",
        "registry.npm" + "js",
    ]
    paths = ["/ro" + "ot/", "/wo" + "rk/", "/tmp/ve" + "nv", "/tmp/" + "w/"]
    wrong = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        wrong += [f"{path.relative_to(ROOT)}: {needle}" for needle in hosts + paths if needle in text]
    assert not wrong


def test_constraints_are_exact_and_hold_no_address() -> None:
    """constraints.txt pins name==version and nothing else."""
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")]
    assert lines
    assert not [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+]+", line)]


LAYERS = ("nouns", "data", "machine", "trials", "judging", "report", "session", "cli", "__main__")


def layer(module: str) -> str:
    """The layer that a module of the harness belongs to: its package, or ``nouns`` for the files at the top."""
    part = module.split(".")[1] if "." in module else ""
    return part if part in LAYERS else "nouns"


def test_layers_import_downwards_only() -> None:
    """cli over session over report over judging over trials over machine and data, and all of them over the nouns."""
    upwards = []
    for path in sorted((ROOT / "harness").rglob("*.py")):
        own = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "harness":
                for alias in node.names:
                    target = f"{node.module}.{alias.name}"
                    if LAYERS.index(layer(target)) > LAYERS.index(layer(own)):
                        upwards.append(f"{own} imports {target}")
    assert not upwards
