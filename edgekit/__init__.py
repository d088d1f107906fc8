"""The host side of edgekit: light models, pruning, export, reports and the command line."""

from runtime._version import __version__

__all__ = ["__version__"]
