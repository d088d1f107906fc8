import pytest

from runtime.setting import Setting
from runtime.verdict import judge

ASKED = Setting("big", 2000000, 2)
STEADY = (10.0, 10.1, 10.0, 9.9, 10.1, 9.9, 10.1, 9.9)


def test_steady_samples_are_stable_and_say_how_steady():
    verdict = judge(STEADY, asked=ASKED, read=ASKED, earlier_medians_ms=(10.2,), background_share=0.05)
    assert verdict.verdict == "stable"
    assert verdict.reasons == ("IQR is 2.0% of the median over 8 samples",)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"samples_ms": (10.0, 10.0, 10.0, 10.0)}, "4 samples are too few to judge, at least 5 are needed"),
        ({"samples_ms": (8.0, 9.0, 10.0, 11.0, 12.0)}, "IQR is 20% of the median (limit 10%)"),
        ({"earlier_medians_ms": (8.0, 8.0)}, "median moved by +25% from earlier blocks (limit 10%)"),
        ({"earlier_medians_ms": (12.5,)}, "median moved by -20% from earlier blocks (limit 10%)"),
        ({"background_share": 0.4}, "other work used 40% of the machine (limit 20%)"),
        ({"read": Setting("big", 1800000, 2)}, "clock read back as 1800000 kHz, 2000000 kHz was asked"),
        ({"read": Setting("big", None, 1)}, "1 threads ran, 2 were asked"),
    ],
)
def test_each_doubt_makes_it_unstable(change, reason):
    verdict = judge(**{"samples_ms": STEADY, "asked": ASKED, "read": ASKED} | change)
    assert verdict.verdict == "unstable"
    assert verdict.reasons == (reason,)


def test_what_the_machine_does_not_say_is_no_doubt():
    assert judge(STEADY, asked=ASKED, read=None).verdict == "stable"
    assert judge(STEADY, asked=ASKED, read=Setting("big", None, 2)).verdict == "stable"


def test_a_clock_left_to_the_kernel_may_be_any():
    assert judge(STEADY, asked=Setting("big", None), read=Setting("big", 1800000)).verdict == "stable"
