"""What the plot of a target's records shows."""

from dataclasses import replace
from types import SimpleNamespace

from edgekit.report.plots import ENERGY, UNLIKE_ENERGIES, plot_of
from tests.runtime.measure.toy_records import RECORD


def shown(*bases):
    metered = replace(RECORD, power_mw=100.0, energy_mj=1.0, energy_source="measured: x")
    records = tuple(replace(metered, block=n, energy_basis=basis) for n, basis in enumerate(bases))
    return plot_of(SimpleNamespace(policy=None, records=records))


def test_energies_of_one_basis_are_drawn():
    plot = shown("net at the rail", "net at the rail", None)
    assert plot.cost_label == ENERGY
    assert {point.cost for point in plot.points} == {1.0}


def test_energies_of_unlike_bases_are_not_drawn_together():
    plot = shown("net at the rail", "gross at the battery")
    assert plot.cost_label == UNLIKE_ENERGIES
    assert {point.cost for point in plot.points} != {1.0}
