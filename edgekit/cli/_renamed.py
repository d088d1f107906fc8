"""Options that have a new name: the old one works, hidden, and names the new one on stderr."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from edgekit.cli._output import note


class RenamedOptions(click.Command):
    """A command that takes old names of its options, too.

    Args:
        old_names: the new name of each old one, as ``{"--scenes": "--variable-load"}``.

    Example:
        >>> @click.command(cls=RenamedOptions, old_names={"--scenes": "--variable-load"})
        ... @click.option("--variable-load", is_flag=True)
        ... def govern(variable_load): ...
    """

    def __init__(self, *args: Any, old_names: Mapping[str, str], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._old_names = old_names

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)  # behind it stand another program's options
        return super().parse_args(ctx, [*self._renamed(ctx, args[:end]), *args[end:]])

    def _renamed(self, ctx: click.Context, words: Sequence[str]) -> list[str]:
        found = []
        for word in words:
            name, equals, value = word.partition("=")
            if name in self._old_names:
                if not ctx.resilient_parsing:  # not while a shell completes the line
                    note(f"{name} is now called {self._old_names[name]}")
                name = self._old_names[name]
            found.append(f"{name}{equals}{value}")
        return found
