"""The SoC profile that a benchmark's ``--soc`` names."""

from __future__ import annotations

import click

from runtime.device.soc import SocProfile, load_profile
from runtime.errors import EdgekitError


def profile_of(name: str) -> SocProfile:
    """Return a profile by name or path.

    Raises:
        click.ClickException: there is none, or its file cannot be read.
    """
    try:
        return load_profile(name)
    except (EdgekitError, ValueError) as err:  # ValueError: a name that is no profile's
        raise click.ClickException(str(err)) from err
