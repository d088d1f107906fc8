"""How files inside a bundle are called."""

from __future__ import annotations


def slug(target: str) -> str:
    """Return a target's name as files are called after it: ``virtual:sdm845`` -> ``virtual-sdm845``."""
    return target.replace(":", "-").replace("/", "-")


def policy_path(target: str) -> str:
    """Return where the policy for ``target`` lies in a bundle."""
    return f"policies/{slug(target)}.json"
