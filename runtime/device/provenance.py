"""How a figure came about: timed or metered, run on a played machine, or computed."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum


class Provenance(str, Enum):
    """How a figure came about, the most certain first.

    Example:
        >>> Provenance("measured") == "measured"
        True
    """

    MEASURED = "measured"
    EMULATED = "emulated"
    MODELLED = "modelled"

    __str__ = str.__str__  # as StrEnum has it, which Python 3.10 lacks

    @classmethod
    def _missing_(cls, value: object) -> Provenance | None:
        # Until policy schema 2 figures of several kinds were stored as "emulated+measured".
        kinds = str(value).split("+")
        return least_certain(kinds) if len(kinds) > 1 and set(kinds) <= set(cls) else None


def least_certain(kinds: Iterable[str]) -> Provenance:
    """Return what to call a figure that was made from figures of these ``kinds``: no more than any of them.

    Raises:
        ValueError: there are none, or one is no provenance.

    Example:
        >>> least_certain(["measured", "modelled"])
        <Provenance.MODELLED: 'modelled'>
    """
    certain = list(Provenance)
    found = [Provenance(kind) for kind in kinds]
    if not found:
        raise ValueError("no figure was given, so there is no provenance; give at least one")
    return max(found, key=certain.index)


def provenance_of(source: str) -> Provenance:
    """Return how a power came about whose ``source`` says so first: "modelled: C f V^2 ...".

    What names no kind is a vendor's table or a meter: read off a machine, so measured.
    """
    return Provenance.MODELLED if source.startswith(Provenance.MODELLED) else Provenance.MEASURED
