import pytest

from runtime.errors import DataError
from runtime.web.phone.frame_timeline import presented_ns
from tests.runtime.web.phone.traces import frame, message, packet, snapshot

OURS = "SurfaceView[com.android.chrome/x](BLAST)#12"


def trace(*packets):
    return message(*packets)


def test_frames_with_a_picture_of_the_layer_are_told_on_the_clock_that_does_not_sleep():
    data = trace(
        snapshot(5_000, 2_000),
        *frame(1, 10_000, OURS),
        *frame(2, 20_000, "StatusBar#3"),
        *frame(3, 30_000, OURS, present_type=2),  # late, but seen
        *frame(4, 40_000, OURS, present_type=4),  # dropped
        *frame(5, 50_000, OURS, is_buffer=0),  # moved alone
        *frame(6, 60_000, OURS),
    )
    assert presented_ns(data, [OURS]) == (7_000, 27_000, 57_000)


def test_two_layers_of_one_frame_count_once():
    both = [
        *frame(1, 10_000, OURS),
        packet(9_000, (4, message((1, 12), (2, 1), (3, 1), (5, "ChromeChildSurface#3"), (6, 1), (11, 1)))),
    ]
    assert presented_ns(trace(*both), [OURS, "ChromeChildSurface#3"]) == (10_000,)


def test_a_frame_whose_end_the_trace_lacks_is_none():
    assert presented_ns(trace(*frame(1, 10_000, OURS)[:-1]), [OURS]) == ()


def test_a_trace_without_frames_has_none():
    assert presented_ns(trace(snapshot(5, 2), (1, message((8, 5), (99, "x")))), [OURS]) == ()


@pytest.mark.parametrize("data", [b"\x0a", b"\x0a\xff", b"\xff" * 20, b"\x0b\x00", message((1, b"\x0a\x09"))])
def test_what_is_no_trace_is_refused(data):
    with pytest.raises(DataError, match="the phone's trace of frames"):
        presented_ns(data, [OURS])


def test_bytes_at_random_are_read_or_refused():
    import random

    order = random.Random(0)
    whole = trace(snapshot(5_000, 2_000), *frame(1, 10_000, OURS), *frame(2, 20_000, OURS))
    for _ in range(2000):
        damaged = bytearray(whole)
        damaged[order.randrange(len(whole))] = order.randrange(256)
        try:
            presented_ns(bytes(damaged), [OURS])
        except DataError:
            continue
