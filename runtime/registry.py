"""A small registry of named things: models, datasets, export backends, targets, meters."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from typing import Generic, TypeVar

T = TypeVar("T")


class Registry(Generic[T]):
    """Map names to factories; refuse duplicates, name near matches of an unknown name.

    Third parties add entries through the entry point group ``edgekit.<kind>``.

    Example:
        >>> models = Registry("model")
        >>> @models.register("tiny")
        ... def tiny(): return "a net"
        >>> models.get("tiny")()
        'a net'
    """

    def __init__(self, kind: str):
        self.kind = kind
        self._entries: dict[str, T] = {}
        self._plugins_loaded = False

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that stores its argument under ``name``.

        Raises:
            ValueError: ``name`` is taken.
        """

        def store(entry: T) -> T:
            if name in self._entries:
                raise ValueError(f"{self.kind} {name!r} is registered twice; choose another name")
            self._entries[name] = entry
            return entry

        return store

    def get(self, name: str) -> T:
        """Return the entry called ``name``.

        Raises:
            ValueError: no such name; the message lists near matches.
        """
        self._load_plugins()
        if name not in self._entries:
            near = difflib.get_close_matches(name, self._entries, n=3, cutoff=0.4)
            hint = f"did you mean {', '.join(near)}?" if near else f"known: {', '.join(self.names())}"
            raise ValueError(f"unknown {self.kind} {name!r}; {hint}")
        return self._entries[name]

    def names(self, pattern: str = "*") -> list[str]:
        """Return the registered names that match a shell ``pattern``, sorted."""
        self._load_plugins()
        return sorted(fnmatch.filter(self._entries, pattern))

    def matching(self, pattern: str) -> list[str]:
        """Return the registered names that match a shell ``pattern``, sorted; at least one.

        Raises:
            ValueError: none matches.
        """
        names = self.names(pattern)
        if not names:
            raise ValueError(f"no {self.kind} matches {pattern!r}; known: {', '.join(self.names())}")
        return names

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __contains__(self, name: object) -> bool:
        self._load_plugins()
        return name in self._entries

    def _load_plugins(self) -> None:
        if self._plugins_loaded:
            return
        self._plugins_loaded = True
        for point in entry_points(group=f"edgekit.{self.kind}"):
            entry = point.load()
            if self._entries.get(point.name) is not entry:  # its module may have registered it itself
                self.register(point.name)(entry)
