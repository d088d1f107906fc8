import pytest

from edgekit.models.surgery.plan import compose_plans, removable_channels


@pytest.mark.parametrize(
    ("channels", "rate", "removed"),
    [
        (48, 0.3, 8),  # 14 asked, 34 would stay, 40 do
        (96, 0.3, 24),  # 28 asked, 68 -> 72
        (96, 0.25, 24),  # 72 is a multiple of 8 as it is
        (336, 0.3, 96),  # 100 asked, 236 -> 240
        (8, 0.9, 0),  # the last 8 always stay
        (20, 0.9, 12),
        (20, 0.3, 4),  # 14 -> 16
    ],
)
def test_what_stays_is_rounded_up_to_a_multiple_of_eight(channels, rate, removed):
    assert removable_channels(channels, rate) == removed


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5, 0.77, 0.99])
def test_never_more_than_asked(rate):
    for channels in range(1, 200):
        removed = removable_channels(channels, rate)
        assert 0 <= removed <= int(channels * rate)
        assert removed == 0 or (channels - removed) % 8 == 0


def test_round_to_one_removes_what_is_asked_but_the_last():
    assert [removable_channels(n, 0.5, round_to=1) for n in (1, 2, 5)] == [0, 1, 2]


def test_composed_plans_count_in_the_unpruned_model():
    first = {"a": (0, 2), "b": (1,)}
    second = {"a": (0, 3), "c": (5,)}  # a has left 1, 3, 4, 5, ...: its 0 is 1 and its 3 is 5
    assert compose_plans(first, second) == {"a": (0, 1, 2, 5), "b": (1,), "c": (5,)}
