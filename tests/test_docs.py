"""The documentation keeps up with the code: every field, option and verb is described, and links lead somewhere."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from harness import config
from harness.cli.verbs import VERBS
from harness.record import FIELDS, STATUSES
from harness.verdict import EXIT_STATUS, NO_VERDICT

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"])


def page(name: str) -> str:
    """The text of a page under docs/."""
    return (DOCS / name).read_text(encoding="utf-8")


def test_every_field_of_a_record_is_described() -> None:
    """reference/records.md has every field and every status in code marks."""
    text = page("reference/records.md")
    assert not [name for name in (*FIELDS, *STATUSES) if f"`{name}`" not in text]


@pytest.mark.parametrize(
    "kind",
    [
        config.RunConfig,
        config.CaseConfig,
        config.PlayerConfig,
        config.GateConfig,
        config.Limits,
        config.Sampling,
    ],
)
def test_every_option_is_described(kind: type) -> None:
    """reference/configuration.md has every key of every part of the configuration in code marks."""
    text = page("reference/configuration.md")
    names = [f.name for f in dataclasses.fields(kind)]
    assert not [name for name in names if not re.search(rf"`(\w+\.)*{name}`", text)]


def test_every_verb_is_described() -> None:
    """reference/cli.md has every verb."""
    text = page("reference/cli.md")
    assert not [verb for verb in VERBS if f"harness {verb}" not in text]


def test_every_exit_status_is_described() -> None:
    """howto/ci.md has every status and every verdict."""
    text = page("howto/ci.md")
    assert not [name for name in EXIT_STATUS if name != "PASS" and name not in text]
    assert not [status for status in (*EXIT_STATUS.values(), NO_VERDICT) if f"| {status} |" not in text]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    """A relative link names a file that exists."""
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    local = [target for target in targets if "://" not in target and not target.startswith("mailto:")]
    assert not [target for target in local if not (path.parent / target).exists()]


def blocks(language: str) -> list[str]:
    """The code blocks of CONTRIBUTING.md in one language."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def test_the_examples_of_the_contributor_guide_are_accepted(tmp_path: Path) -> None:
    """The case, the player, the gate and the data set of its first page register as they stand there."""
    import yaml

    from harness.data.datasets import manifests
    from harness.discover import registry

    for name in ("conf", "benchmarks/persistence", "datasets"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "benchmarks/persistence/suite.py").write_text("\n".join(blocks("python")))
    known = registry(tmp_path)
    assert set(known.cases) == {"persistence.circle"}
    assert set(known.players) == {"mine"}
    gates, rings = blocks("yaml")
    settings = {**yaml.safe_load(gates), "cases": {"circle": {"case": "persistence.circle", "params": {"n": [1000]}}}}
    assert config.typed(settings).gates["circle_speed"].above == 2
    (tmp_path / "datasets" / "rings.yaml").write_text(rings)
    assert set(manifests(tmp_path)) == {"rings"}


def test_the_changelog_names_this_version() -> None:
    """The changelog has an entry for the version that the package reports."""
    from harness import __version__

    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
