"""The device side of edgekit: runs bundles, measures them, and chooses core and clock. Needs no torch."""

from runtime._version import __version__

__all__ = ["__version__"]
