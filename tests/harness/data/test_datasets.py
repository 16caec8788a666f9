"""A data set is handed out only when every byte is the declared one; what is wrong is said with the next step."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import machines
from harness.data import datasets
from harness.errors import DataError, UnknownName

FILES = {"a.csv": b"1,2,3\n", "deep/b.bin": bytes(range(256))}
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the set ``s``, whose files lie under data/ of the project."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv(datasets.DATA_ROOT, "../data")
    for name, content in FILES.items():
        path = tmp_path / "data/s" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return machines.project(
        tmp_path / "project", datasets={"s": machines.manifest("s", FILES, url="https://example.org/s")}
    )


def test_a_sound_set_is_located(here: Path, tmp_path: Path) -> None:
    """A relative data root starts from the project, wherever the process stands."""
    assert datasets.locate("s", here) == tmp_path / "data/s"
    assert datasets.sha256_of("s", here) == datasets.manifest("s", here).sha256
    assert list(datasets.manifests(here)) == ["s"]


def test_the_project_is_found_upwards(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A case calls with a name only, from anywhere inside its project."""
    monkeypatch.chdir(here / "benchmarks/toy")
    assert datasets.locate("s").name == "s"


def test_cache_comes_second(here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a data root, or where it lacks the set, the cache is looked into."""
    (tmp_path / "cache/tcs-harness/data").mkdir(parents=True)
    (tmp_path / "data/s").rename(tmp_path / "cache/tcs-harness/data/s")
    assert datasets.locate("s", here) == tmp_path / "cache/tcs-harness/data/s"
    monkeypatch.delenv(datasets.DATA_ROOT)
    assert datasets.locate("s", here) == tmp_path / "cache/tcs-harness/data/s"


def test_missing(here: Path, tmp_path: Path) -> None:
    """A missing file is named, with how many are missing, where it was looked for, and both ways to get it."""
    (tmp_path / "data/s/deep/b.bin").unlink()
    with pytest.raises(DataError) as error:
        datasets.locate("s", here)
    text = str(error.value)
    assert "1 of 2 files are missing, first deep/b.bin" in text
    assert str(tmp_path / "data/s") in text
    assert str(tmp_path / "cache") in text
    assert "Run 'harness fetch s' (0.0 MB), or set TCS_DATA_ROOT" in text


def test_absent_altogether(here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A data root that does not exist is no crash."""
    monkeypatch.setenv(datasets.DATA_ROOT, "/no/such/folder")
    with pytest.raises(DataError, match=r"data set s: not here \(looked in /no/such/folder/s and "):
        datasets.locate("s", here)


def test_what_is_published_names_no_folder_of_a_machine(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reason ends up in tables for everyone: it names the data root by its variable, and a home as such."""
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv(datasets.DATA_ROOT, str(tmp_path / "empty"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    with pytest.raises(DataError, match=r"looked in \$TCS_DATA_ROOT/s and ~/\.cache/tcs-harness/data/s\)"):
        datasets.locate("s", here)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"1,2", "a.csv is truncated: 3 bytes instead of 6"),
        (b"", "a.csv is truncated: 0 bytes instead of 6"),
        (b"1,2,3,4\n", "a.csv is longer than declared: 8 bytes instead of 6"),
        (b"1,2,4\n", "a.csv has the right size, but its sha256 is "),
    ],
)
def test_wrong_bytes(here: Path, tmp_path: Path, content: bytes, said: str) -> None:
    """Truncated, longer and altered files are told apart, and the next step is to delete and fetch."""
    datasets.locate("s", here)
    (tmp_path / "data/s/a.csv").write_bytes(content)
    with pytest.raises(DataError) as error:
        datasets.locate("s", here)
    assert said in str(error.value)
    assert "Delete that file. Run 'harness fetch s'" in str(error.value)


def test_a_damaged_file_hides_no_good_copy(here: Path, tmp_path: Path) -> None:
    """A truncated file under the data root is passed over for the cache, and named where no place is sound."""
    cached = tmp_path / "cache/tcs-harness/data/s"
    shutil.copytree(tmp_path / "data/s", cached)
    (tmp_path / "data/s/a.csv").write_bytes(b"1,2")
    assert datasets.locate("s", here) == cached
    (cached / "a.csv").unlink()
    with pytest.raises(DataError, match=r"data/s/a\.csv is truncated"):
        datasets.locate("s", here)


def test_a_set_that_may_not_be_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no file has an address, the message says how to get it by hand."""
    monkeypatch.delenv(datasets.DATA_ROOT, raising=False)
    text = machines.manifest("s", FILES, manual="Ask the authors")
    with pytest.raises(DataError, match=r"Ask the authors\. Then set TCS_DATA_ROOT"):
        datasets.locate("s", machines.project(tmp_path, datasets={"s": text}))


def test_a_set_that_comes_with_a_package(tmp_path: Path) -> None:
    """Files of an installed distribution are checked where they are installed."""
    text = machines.manifest("s", {}, package="pytest", folder="_pytest")
    assert (datasets.locate("s", machines.project(tmp_path, datasets={"s": text})) / "fixtures.py").is_file()
    text = machines.manifest("s", FILES, package="no-such-thing")
    with pytest.raises(DataError, match="install it with: pip install no-such-thing"):
        datasets.locate("s", machines.project(tmp_path, datasets={"s": text}))


def test_wrong_names_get_near_misses(here: Path) -> None:
    """A name that no manifest has, and one that would lead out of the folder."""
    with pytest.raises(UnknownName, match="no data set is named 'ss'"):
        datasets.locate("ss", here)
    with pytest.raises(UnknownName):
        datasets.manifest("../conf/config", here)


def test_the_manifests_of_this_project() -> None:
    """Each is sound, names its licence and citation, and fetches over https from a pinned revision."""
    found = datasets.manifests(ROOT)
    assert {"allen_session_counts", "digits", "mr_branching", "pci_tms_eeg"} <= set(found)
    for one in found.values():
        assert one.licence
        assert one.citation
        assert one.address.startswith("https://")
        for file in one.files:
            assert not file.url or (
                file.url.startswith("https://") and one.revision and f"/{one.revision}/" in file.url
            )


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "datasets").glob("*.yaml")))
def test_the_data_of_this_project_where_they_are(name: str) -> None:
    """Every data set that is on this machine has the declared bytes."""
    try:
        datasets.find(datasets.manifest(name, ROOT), ROOT)
    except DataError as error:
        pytest.skip(str(error))
    assert datasets.locate(name, ROOT).is_dir()
