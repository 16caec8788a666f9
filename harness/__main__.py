"""``python -m harness``: the verbs are in :mod:`harness.cli.verbs`."""

from __future__ import annotations

import sys

from harness.cli.verbs import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
