"""In a real browser the page fits a phone: tables scroll inside themselves, the page does not."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness import report
from harness.store import Run
from harness.verdict import Verdict

BROWSER = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), "")
PROBE = """<body><iframe id=f src="report.html" style="width:{width}px;height:900px;border:0"></iframe>
<pre id=o></pre><script>
f.onload = () => {{ const d = f.contentDocument.documentElement;
o.textContent = 'measured ' + d.scrollWidth + ' of ' + d.clientWidth + ' end' }}</script></body>"""
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--allow-file-access-from-files",
    "--virtual-time-budget=4000",
)


@pytest.mark.browser
@pytest.mark.skipif(not BROWSER, reason="no chromium on the PATH: the layout on a phone is not looked at")
@pytest.mark.parametrize("width", [390, 1280])
def test_page_does_not_scroll_sideways(full: tuple[Run, list[Verdict]], tmp_path: Path, width: int) -> None:
    """At 390 and at 1280 pixels nothing is wider than the window."""
    run, verdicts = full
    report.write(run, verdicts)
    probe = run.path / "probe.html"
    probe.write_text(PROBE.format(width=width))
    command = [BROWSER, *QUIET, f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1400,1000", "--dump-dom"]
    try:
        done = subprocess.run([*command, probe.as_uri()], capture_output=True, text=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("chromium did not answer in 60 s")
    measured = re.search(r"measured (\d+) of (\d+) end", done.stdout)
    if measured is None:
        pytest.skip(f"chromium could not open the page: {done.stderr[-200:]}")
    assert int(measured[1]) <= int(measured[2])
