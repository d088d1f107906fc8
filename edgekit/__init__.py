"""The host side of edgekit: light models, pruning, export, reports and the command line."""

from edgekit._siblings import prefer_siblings

prefer_siblings()

from runtime._version import __version__  # noqa: E402

__all__ = ["__version__"]
