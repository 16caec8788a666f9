"""Reports of a run: HTML, Markdown, JSON, JUnit and plots, and the tables that are published."""

from harness.report.publish import publish
from harness.report.writing import write

__all__ = ["publish", "write"]
