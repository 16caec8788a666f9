"""The tree of errors.

EmbedderError > ContractError (also a ValueError), InputError (also a ValueError), CacheError (also a RuntimeError),
ProviderError (also a RuntimeError), MissingError (also a FileNotFoundError).
"""

from __future__ import annotations


class EmbedderError(Exception):
    """Something about a model or what it was asked."""


class ContractError(EmbedderError, ValueError):
    """The graph is not one that can be used so; the message names the input or output, and how it differs."""


class InputError(EmbedderError, ValueError):
    """What was asked makes no sense; the message names the argument, what was found and the next step."""


class CacheError(EmbedderError, RuntimeError):
    """A step gave tensors that cannot become the cache; the session stands where it stood before the text."""


class ProviderError(EmbedderError, RuntimeError):
    """An execution provider was asked for that is not there, or cannot be loaded; the message names it."""


class MissingError(EmbedderError, FileNotFoundError):
    """A file or a package that is needed is not there."""
