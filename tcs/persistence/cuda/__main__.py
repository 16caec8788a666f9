"""``python -m tcs.persistence.cuda`` tries the current GPU out and says what came of it."""

from __future__ import annotations

import sys

from tcs.persistence.cuda.backend import open_gpu
from tcs.persistence.errors import DeviceError


def main() -> int:
    """Compile the kernels, compute a few bars, and say whether they are right; the exit status is 0 if so."""
    try:
        device = open_gpu(3)
    except DeviceError as error:
        print(f"tcs.persistence on a GPU: {error}", file=sys.stderr)
        return 1
    print(f"tcs.persistence on a GPU: {device.name()} gives the right bars, {device.free() / 2**30:.1f} GiB are free")
    return 0


if __name__ == "__main__":
    sys.exit(main())
