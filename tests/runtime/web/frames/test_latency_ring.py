import pytest

from runtime.web.browser.display import Watch
from runtime.web.frames.displayed import Shown, shown
from runtime.web.frames.latency_ring import RING_FRAMES, Ring, merge_rings, parse_ring, refresh_of
from runtime.web.frames.second_count import count_again, disagreement
from runtime.web.gestures.perform import Performed, Span

PENDING = 9223372036854775807
EVERY_NS = 16_666_667


def looks(times_ns, every=60):
    """Return looks at a ring while frames come, one look after ``every`` of them."""
    ends = [*range(every, len(times_ns), every), len(times_ns)]
    return [Ring(60.0, tuple(times_ns[max(0, end - RING_FRAMES) : end])) for end in ends]


def test_an_answer_of_surfaceflinger_is_read():
    rows = ["16666667", "1000\t2000\t1500", f"3000\t{PENDING}\t3500", "0\t0\t0", "900\t1000\t950"]
    ring = parse_ring("\r\n".join(rows))
    assert ring.refresh_hz == 60.0
    assert ring.presented_ns == (1000, 2000)  # neither empty places nor what is not on the display yet


@pytest.mark.parametrize("hz", [60.0, 90.0, 120.0, 144.0])
def test_the_first_line_is_the_display_s_period(hz):
    assert parse_ring(f"{round(1e9 / hz)}\n").refresh_hz == pytest.approx(hz, rel=1e-4)


@pytest.mark.parametrize(
    "text", ["", "0\n", "1\n", "no service\n", f"{'9' * 400}\n", "1 2\n-1 -2 -3\n1 2 x\n"]
)
def test_what_is_no_answer_tells_nothing(text):
    assert parse_ring(text) == Ring(None)


def test_frames_of_overlapping_looks_count_once():
    times_ns = [EVERY_NS * n for n in range(1, 301)]
    assert merge_rings(looks(times_ns)) == (tuple(times_ns), False)


def test_frames_that_were_overwritten_between_looks_are_noticed():
    times_ns = [EVERY_NS * n for n in range(1, 401)]
    merged, has_gap = merge_rings(looks(times_ns, every=150))
    assert has_gap
    assert len(merged) < 400


def test_a_layer_that_begins_anew_has_lost_nothing():
    first, second = Ring(60.0, (1, 2)), Ring(60.0, (10, 11, 12))
    assert merge_rings([first, Ring(60.0), second]) == ((1, 2, 10, 11, 12), False)


def test_the_rates_of_a_display_that_changes_are_told():
    assert refresh_of([Ring(120.0), Ring(60.0), Ring(None), Ring(120.0)]) == (60.0, 120.0)


def test_counts_of_a_gesture_agree_within_two_percent():
    gesture = Performed((Span(10.0, 15.0),), 0.0)
    times_s = [10.001 + n / 60 for n in range(1, 320)]
    watch = Watch(60.0, "SurfaceFlinger", tuple(time_s + 0.004 for time_s in times_s))
    seen = shown(times_s, gesture)
    assert disagreement(seen, count_again(watch, gesture), watch.source) is None
    half = Watch(60.0, "SurfaceFlinger", tuple(times_s[::2]))
    said = disagreement(seen, count_again(half, gesture), half.source)
    assert said == "the trace has 300 frames, SurfaceFlinger 150: 50 % apart (limit 2 %)"


def test_a_count_with_a_fault_is_none():
    gesture = Performed((Span(10.0, 15.0),), 0.0)
    assert count_again(Watch(60.0), gesture) is None
    assert count_again(Watch(60.0, "SurfaceFlinger", (11.0,), fault="overwritten"), gesture) is None


@pytest.mark.parametrize(
    ("frames", "again", "agree"), [(0, 0, True), (0, 2, False), (30, 31, True), (300, 293, False)]
)
def test_a_frame_at_the_edge_is_no_disagreement(frames, again, agree):
    seen = Shown((0.1,) * frames, 5.0, ())
    assert (disagreement(seen, again, "x") is None) == agree
