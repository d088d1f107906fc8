"""The host side of edgekit: light models, pruning, export, reports and the command line."""

from runtime._version import __version__

__all__ = ["__version__"]


def __getattr__(name):
    if name == "Preprocess":
        from edgekit.export.preprocess import Preprocess

        return Preprocess
    raise AttributeError(name)
