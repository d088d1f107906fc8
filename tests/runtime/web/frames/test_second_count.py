import pytest

from runtime.web.browser.display import Watch
from runtime.web.frames.displayed import Shown, shown
from runtime.web.frames.second_count import count_again, disagreement
from runtime.web.gestures.perform import Performed, Span

SCROLL = Performed((Span(10.0, 15.0),), 0.0)
TIMES_S = [10.001 + n / 60 for n in range(1, 320)]


def test_counts_of_a_gesture_agree_within_two_percent():
    seen = shown(TIMES_S, SCROLL)
    late = Watch(60.0, "SurfaceFlinger", tuple(time_s + 0.004 for time_s in TIMES_S))
    assert disagreement(seen, count_again(late, seen), late.source) is None
    half = Watch(60.0, "SurfaceFlinger", tuple(TIMES_S[::2]))
    said = disagreement(seen, count_again(half, seen), half.source)
    assert said == "the trace has 300 frames, SurfaceFlinger 150: 50 % apart (limit 2 %)"


def test_a_fling_is_counted_again_only_until_its_last_frame():
    fling = Performed((Span(10.0, 12.0, runs_on=True), Span(13.0, 15.0, runs_on=True)), 0.0)
    seen = shown([time_s for time_s in TIMES_S if time_s < 11 or 13 < time_s < 14], fling)
    always = Watch(60.0, "SurfaceFlinger", tuple(TIMES_S))
    assert disagreement(seen, count_again(always, seen), always.source) is None


def test_a_count_with_a_fault_is_none():
    seen = shown(TIMES_S, SCROLL)
    assert count_again(Watch(60.0), seen) is None
    assert count_again(Watch(60.0, "SurfaceFlinger", (11.0,), fault="overwritten"), seen) is None


@pytest.mark.parametrize(
    ("frames", "again", "agree"), [(0, 0, True), (0, 2, False), (30, 31, True), (300, 293, False)]
)
def test_a_frame_at_the_edge_is_no_disagreement(frames, again, agree):
    seen = Shown((0.1,) * frames, 5.0, (), ((0.0, 5.0),))
    assert (disagreement(seen, again, "x") is None) == agree
