"""Sphinx's configuration; the pages are MyST Markdown, built with warnings as errors."""

from __future__ import annotations

from harness import __version__

project = "tcs-harness"
copyright = "2026, the tcs-harness contributors; Apache-2.0"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
nitpicky = False
# Each library has errors of its own, some by the same name, and in "Raises:" a name stands without its module.
suppress_warnings = ["ref.python"]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = f"tcs-harness {version}"
html_copy_source = False
