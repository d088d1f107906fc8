"""How sure a share of the latency is, on a machine on which others work."""

from types import SimpleNamespace

import pytest
import torch

from edgekit.pruning import LatencyLimit, cut_timer
from edgekit.pruning.cut_timer import CutTimer, quiet_ratio


def block(quiet_ms, busy=0):
    """Return a record of 30 frames, of which ``busy`` took three times as long."""
    return SimpleNamespace(samples_ms=(quiet_ms,) * (30 - busy) + (3 * quiet_ms,) * busy)


def test_frames_that_others_slowed_change_no_ratio():
    whole = [block(10.0), block(10.0, busy=25), block(20.0)]
    mine = [block(6.0, busy=25), block(6.0), block(12.0, busy=10)]
    ratio, interval = quiet_ratio(whole, mine)
    assert ratio == pytest.approx(0.6)
    assert interval.half_share == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("scatter", "turns"), [(0.0, 1), (0.05, 3)], ids=["a quiet machine", "one that never is"]
)
def test_turns_are_taken_until_the_ratio_is_known(tmp_path, monkeypatch, scatter, turns):
    seeds, told = [], []

    def measure(*_, plan, **__):
        seeds.append(plan.seed)
        mine = [block(6.0 * (1 + scatter * side)) for side in (-1, 1)]
        return mine, [block(10.0)] * 2

    monkeypatch.setattr(cut_timer, "measure_both", measure)
    bundle = SimpleNamespace(
        path=tmp_path, manifest=SimpleNamespace(variants=[SimpleNamespace(name="litert")])
    )
    timer = CutTimer(LatencyLimit(share=0.6, target="virtual:sdm845"), torch.zeros(1, 1, 8, 8), told.append)
    with timer:
        timer._whole = bundle
        mine, whole = timer._measure(bundle)
    assert seeds == list(range(turns))  # another order each time
    assert len(mine) == len(whole) == 2 * turns
    assert len([line for line in told if "its share is known to +-" in line]) == turns - 1
