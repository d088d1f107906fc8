"""The benchmark's arithmetic: gains are paired by seed and counted per added millisecond."""

from dataclasses import replace

import click
import pytest

from edgekit.models import ModelSpec, static_of
from tests.benchmarks.placement import compare, summarise, ways_of

PLACED = ModelSpec(
    "resnet20",
    num_classes=2,
    width=0.25,
    image_size=16,
    act="dyrelu-b",
    dynamic_at=("stages.2.0", "stem.act"),
)


def test_four_ways_differ_only_in_where_they_are_dynamic():
    ways = ways_of(PLACED)
    assert list(ways) == ["nowhere", "everywhere", "last 3 layers", "where it costs least"]
    assert ways["nowhere"] == static_of(PLACED)
    assert ways["everywhere"] == replace(PLACED, dynamic_at=None)
    assert ways["last 3 layers"].dynamic_at == ("last:3",)


def test_a_placement_of_no_layer_has_nothing_to_show():
    with pytest.raises(click.UsageError, match="raise it"):
        ways_of(replace(PLACED, dynamic_at=()))


def test_gains_are_over_the_static_network_of_the_same_seed():
    scores = dict(zip(ways_of(PLACED), [[0.80, 0.82], [0.84, 0.86], [0.81, 0.82], [0.82, 0.84]], strict=True))
    static, everywhere, last, ours = compare(ways_of(PLACED), scores, [1.0, 2.0, 1.5, 1.1])
    assert static["gain_pct"] is None
    assert (everywhere["gain_pct"], everywhere["layers"]) == (pytest.approx(4.0), 19)
    assert everywhere["gain_std_pct"] == pytest.approx(0.0)
    assert last["gain_pct_per_added_ms"] == pytest.approx(1.0)
    assert ours["gain_pct_per_added_ms"] == pytest.approx(20.0)
    assert ours["accuracy_pct_per_ms"] == pytest.approx(83 / 1.1)
    summary = summarise([static, everywhere, last, ours])
    assert summary["gain_pct_per_added_ms"] == {"everywhere": True, "last 3 layers": True}
    assert summary["accuracy_pct"] == {"everywhere": False, "last 3 layers": True}
