"""Percentiles, histograms and cold starts of what was timed, by hand."""

from dataclasses import replace

import pytest

from edgekit.report.timings import draw_histogram, shared_axis, timings_of
from runtime.device.setting import Setting
from tests.edgekit.report.tuned_bundle import bench, measured

ONE_TO_HUNDRED = [float(ms) for ms in range(1, 101)]


def heights(markup):
    """Return the height of each bar, the highest as 1."""
    path = markup.split('<path d="M')[-1].split('"')[0]
    found = [float(bar.split("v-")[1].split("h")[0]) for bar in path.split("z") if "v-" in bar]
    return [height / max(found) for height in found]


def test_percentiles_are_over_the_frames_of_all_blocks(make_bundle):
    bundle = make_bundle()
    blocks = [measured(bundle, ONE_TO_HUNDRED[:50]), measured(bundle, ONE_TO_HUNDRED[50:])]
    blocks[1] = replace(
        blocks[1], first_frame_ms=20.5, load_ms=None, verdict="unstable", reasons=("too hot",)
    )
    ((timing,), axis) = timings_of(blocks)
    assert timing.frames == 100
    assert (timing.p50_ms, timing.p90_ms, timing.p99_ms) == pytest.approx((50.5, 90.1, 99.01))
    assert timing.first_ms == pytest.approx(16.5)  # the middle of 12.5 and 20.5
    assert timing.load_ms == 31.0  # only one block tells
    assert timing.reasons == ("too hot",)
    assert axis.low <= 1.0


def test_the_fastest_goes_first_and_one_exact_figure_has_no_spread(make_bundle):
    bundle = make_bundle()
    slow, fast = measured(bundle, [9.0] * 9), measured(bundle, [5.0] * 9, Setting("cpu", None, 2))
    timings, _ = timings_of([slow, fast])
    assert [timing.p50_ms for timing in timings] == [5.0, 9.0]
    assert timings_of(bench(bundle)) == ((), None)


def test_histogram_counts_every_frame_and_keeps_outliers_at_its_end():
    samples = [*[5.0] * 60, *[6.0] * 30, *[900.0]]
    axis = shared_axis([samples * 2, [5.0, 7.0]])
    assert axis.high < 1000
    bars = heights(draw_histogram([*[5.0] * 60, *[6.0] * 30, 1e6], shared_axis([[5.0, 7.0]])))
    assert bars == pytest.approx([1.0, 0.5, 1 / 60], abs=0.02)


@pytest.mark.parametrize("samples", [[5.0] * 9, [1e-9, 1.0, 1e9, 1.0, 1.0]])
def test_histograms_of_one_figure_and_of_a_wild_range_are_drawn(samples):
    markup = draw_histogram(samples, shared_axis([samples]))
    assert max(heights(markup)) == 1.0
    assert "nan" not in markup
