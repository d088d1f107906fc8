"""Options whose help lists what is registered."""

from __future__ import annotations

import importlib
from typing import Any

import click

from runtime.errors import EdgekitError


class RegisteredOption(click.Option):
    """An option whose help ends with the names of a registry.

    It is looked into when the help is shown: importing it loads PyTorch.

    Args:
        registry: module and name of it, joined by a colon.
    """

    def __init__(self, *args: Any, registry: str, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.registry = registry

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        record = super().get_help_record(ctx)
        module, _, name = self.registry.partition(":")
        try:
            names = ", ".join(getattr(importlib.import_module(module), name))
        except (ImportError, EdgekitError):  # an installation that cannot train
            return record
        return record and (record[0], f"{record[1]}  One of: {names}.")
