"""Which energies may stand beside each other: those that count the same thing at the same place."""

from __future__ import annotations

from collections.abc import Iterable

from runtime.measure.records import Record


def unlike_energies(records: Iterable[Record]) -> str | None:
    """Return why the energies of ``records`` may not be compared; ``None`` where they may.

    What a battery gives is more than what one rail takes, and a gross figure holds the idle device.
    """
    known = dict.fromkeys(r.energy_basis for r in records if r.energy_mj is not None and r.energy_basis)
    if len(known) < 2:
        return None
    return f"energies are not compared, they are on unlike bases: {', '.join(filter(None, known))}"
