from dataclasses import replace

import numpy as np
import pytest

from runtime.device.conditions import Conditions
from runtime.device.setting import Setting
from runtime.measure.verdict import judge

ASKED = Setting("big", 2000000, 2)
STEADY = (10.0, 10.1, 10.0, 9.9, 10.1, 9.9, 10.1, 9.9)
# Two threads on two of four CPUs, a second long, nobody else there.
BEFORE = Conditions(
    0.0, temp_c=40.0, freq_khz=2000000, max_freq_khz=2000000, cpus=(2, 3), n_cpus=4,
    own_busy_s=1.0, own_wait_s=0.0, cpus_busy_s=50.0, cpus_steal_s=0.0,
    machine_busy_s=90.0, machine_steal_s=0.0, pressure_s=0.0, probe_ms=1.0,
)  # fmt: skip
AFTER = replace(BEFORE, time_s=1.0, temp_c=45.0, own_busy_s=3.0, cpus_busy_s=52.0, machine_busy_s=92.0)


def test_steady_samples_are_stable_and_say_how_steady():
    verdict = judge(
        STEADY, asked=ASKED, read=ASKED, before=BEFORE, after=AFTER, earlier_medians_ms=(10.2,),
        earlier_probes_ms=(0.98,), max_temp_c=40.0,
    )  # fmt: skip
    assert verdict.verdict == "stable"
    assert verdict.reasons == ("IQR is 2.0% of the median over 8 samples",)
    assert verdict.advice == ()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"samples_ms": (10.0, 10.0, 10.0, 10.0)}, "4 samples are too few to judge, at least 5 are needed"),
        ({"samples_ms": (8.0, 9.0, 10.0, 11.0, 12.0)}, "IQR is 20% of the median (limit 10%)"),
        (
            {"samples_ms": (10.0,) * 5 + (10.4,) * 5 + (10.9,) * 5},
            "the last third of the block is +9% off the first (limit 5%)",
        ),
        ({"earlier_medians_ms": (8.0, 8.0)}, "median moved by +25% from earlier blocks (limit 5%)"),
        ({"earlier_medians_ms": (12.5,)}, "median moved by -20% from earlier blocks (limit 5%)"),
        ({"read": Setting("big", 1800000, 2)}, "clock read back as 1800000 kHz, 2000000 kHz was asked"),
        ({"read": Setting("big", None, 1)}, "1 threads ran, 2 were asked"),
        ({"earlier_probes_ms": (0.8,)}, "the machine was up to 25% slower at a fixed task (limit 8%)"),
        ({"max_temp_c": 39.5}, "it was 40.0 C at the start (limit 39.5 C)"),
    ],
)
def test_each_doubt_makes_it_unstable(change, reason):
    given = {"samples_ms": STEADY, "asked": ASKED, "read": ASKED, "before": BEFORE, "after": AFTER}
    verdict = judge(**given | change)
    assert verdict.verdict == "unstable"
    assert verdict.reasons == (reason,)
    assert len(verdict.advice) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"cpus_busy_s": 52.2, "machine_busy_s": 92.2},
            "other work used 9% of the cores it ran on (limit 3%)",
        ),
        ({"machine_busy_s": 92.8}, "other work used 19% of the machine (limit 6%)"),
        ({"own_wait_s": 0.1}, "it waited for a core for 5% of the time it ran (limit 3%)"),
        ({"cpus_steal_s": 0.1}, "other guests of the host took 5% of its cores (limit 2%)"),
        ({"cooling": ("cpufreq-cpu2=3/10",)}, "the kernel throttled it: cpufreq-cpu2=3/10"),
        ({"max_freq_khz": 1500000}, "throttled: its clock limit moved from 2000000 to 1500000 kHz"),
        ({"probe_ms": 1.2}, "the machine was up to 20% slower at a fixed task (limit 8%)"),
    ],
)
def test_what_the_machine_did_meanwhile_makes_it_unstable(change, reason):
    after = replace(AFTER, **change)
    verdict = judge(STEADY, asked=ASKED, read=ASKED, before=BEFORE, after=after)
    assert (verdict.verdict, verdict.reasons) == ("unstable", (reason,))


def test_a_clock_that_was_off_before_the_block_is_seen():
    before = replace(BEFORE, freq_khz=1700000)
    verdict = judge(STEADY, asked=ASKED, read=ASKED, before=before, after=AFTER)
    assert verdict.reasons == ("clock was 1700000 kHz before the block, 2000000 kHz was asked",)


def test_paced_frames_may_spread_more():
    spread = (8.5, 9.0, 10.0, 10.5, 11.0)
    assert judge(spread, asked=ASKED, read=ASKED).verdict == "unstable"
    assert judge(spread, asked=ASKED, read=ASKED, is_paced=True).verdict == "stable"


def test_a_quiet_machine_is_called_stable_nearly_always():
    rng = np.random.default_rng(0)
    blocks = 10.0 * np.exp(0.03 * rng.standard_normal((500, 30)))  # 3 % noise, IQR 4 %
    verdicts = [judge(tuple(block), asked=ASKED, read=ASKED).verdict for block in blocks]
    assert verdicts.count("stable") >= 495


def test_the_same_advice_is_given_once():
    after = replace(AFTER, cpus_busy_s=53.0, own_wait_s=1.0)
    verdict = judge(STEADY, asked=ASKED, read=ASKED, before=BEFORE, after=after)
    assert len(verdict.reasons) == 2
    assert verdict.advice == ("stop other programs, or bench on other cores",)


def test_what_the_machine_does_not_say_is_no_doubt():
    silent = Conditions(0.0)
    verdict = judge(STEADY, asked=ASKED, read=None, before=silent, after=replace(silent, time_s=1.0))
    assert verdict.verdict == "stable"
    assert judge(STEADY, asked=ASKED, read=Setting("big", None, 2)).verdict == "stable"


def test_pressure_counts_only_where_nothing_better_is_told():
    after = replace(AFTER, pressure_s=0.5)
    assert judge(STEADY, asked=ASKED, read=ASKED, before=BEFORE, after=after).verdict == "stable"
    blind = [replace(moment, own_busy_s=None) for moment in (BEFORE, after)]
    verdict = judge(STEADY, asked=ASKED, read=ASKED, before=blind[0], after=blind[1])
    assert verdict.reasons == ("some program waited for a CPU for 50% of the time (limit 10%)",)


def test_a_clock_left_to_the_kernel_may_be_any():
    asked = Setting("big", None)
    before = replace(BEFORE, freq_khz=600000)
    verdict = judge(STEADY, asked=asked, read=Setting("big", 1800000), before=before, after=AFTER)
    assert verdict.verdict == "stable"


def test_threads_on_other_cores_make_a_block_unstable():
    why = "thread 7 ran on CPU 0, [2, 3] was asked"
    verdict = judge(STEADY, asked=ASKED, read=ASKED, misplaced=(why,))
    assert (verdict.verdict, verdict.reasons) == ("unstable", (why,))
    assert "cpuset" in verdict.advice[0]
