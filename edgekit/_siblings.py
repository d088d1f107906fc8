"""``runtime`` and ``predictors`` are names that others use too: edgekit takes those that lie beside it.

Else a folder ``runtime/`` of the user's, in the working directory or on ``PYTHONPATH``, or another
project's package would be run in their place. For the same reason only what Python has loaded already is
imported here.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import ModuleSpec, PathFinder

HOME = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
NAMES = ("runtime", "predictors")


class SiblingFinder:
    """Finds the packages beside this one, whatever comes first on Python's path."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Return where package ``name`` is, if it is one of ours; see ``importlib.abc.MetaPathFinder``."""
        return PathFinder.find_spec(name, [HOME]) if name in NAMES else None


def prefer_siblings() -> None:
    """From now on import ``runtime`` and ``predictors`` from where edgekit itself lies.

    Raises:
        ImportError: another package of such a name is in use in this process.
    """
    for name in NAMES:
        loaded = sys.modules.get(name)
        if loaded is None:
            continue
        (where, *_) = (*getattr(loaded, "__path__", ()), getattr(loaded, "__file__", None) or name)
        if os.path.realpath(where) != os.path.join(HOME, name):
            raise ImportError(
                f"the package {name!r} of {where} was imported before edgekit, which brings one of the same "
                "name; import edgekit first, or in a process of its own"
            )
    if SiblingFinder not in sys.meta_path:
        sys.meta_path.insert(0, SiblingFinder)


def leave_working_directory() -> None:
    """Take the working directory off Python's path, unless edgekit lies there.

    ``python -m`` puts it first: a file ``queue.py`` or a folder ``numpy/`` of the user's would be imported
    in place of the real one.
    """
    try:
        here = os.getcwd()
    except FileNotFoundError:  # it was deleted
        return
    # Python 3.10 has no -P; the flag of -I is older.
    is_safe = sys.flags.isolated or getattr(sys.flags, "safe_path", False)
    if not is_safe and sys.path[:1] == [here] and os.path.realpath(here) != HOME:
        del sys.path[0]
