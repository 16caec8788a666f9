"""Data sets: manifests, where their files lie, and how they are fetched and checked."""

from harness.data.datasets import locate, sha256_of

__all__ = ["locate", "sha256_of"]
