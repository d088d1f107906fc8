"""Features: one figure per name, and the ones that can be worked out by hand."""

import numpy as np
import pytest

from runtime.bundle.workload import Op, Workload
from runtime.choose.fitting.features import FEATURE_NAMES, features
from runtime.device.setting import Setting
from tests.runtime.phone import PROFILE

TWO_OPS = Workload((Op("a", "conv2d", 3000, 800, 100), Op("b", "linear", 1000, 90, 10)))


def named(**changes):
    arguments = {
        "workload": TWO_OPS,
        "profile": PROFILE,
        "setting": Setting("big", 1_200_000, 2),
        "precision": "fp32",
        "engine": "litert",
    } | changes
    return dict(zip(FEATURE_NAMES, features(**arguments), strict=True))


def test_features_of_two_ops_worked_out_by_hand():
    got = named()
    assert got["log_macs"] == pytest.approx(np.log(4000))
    assert got["log_bytes"] == pytest.approx(np.log(1000))
    assert got["log_intensity"] == pytest.approx(np.log(4))
    assert got["log_count_conv2d"] == pytest.approx(np.log(2))
    assert got["log_count_pool"] == 0
    assert got["mac_share_conv2d"] == 0.75
    assert got["mac_share_linear"] == 0.25
    assert got["log_clock"] == pytest.approx(np.log(1_200_000))
    assert got["log_threads"] == pytest.approx(np.log(2))
    # Half of the big cluster's 2400 MHz is half of the full capacity.
    assert got["log_compute_time"] == pytest.approx(np.log(4000 / (512 * 2)))
    assert got["log_balance"] == pytest.approx(np.log(4 / (512 * 2)))


def test_strength_is_that_of_the_core_whatever_its_clock():
    slow, fast = named(setting=Setting("little", 400_000)), named(setting=Setting("little", 1_600_000))
    assert slow["log_strength"] == pytest.approx(fast["log_strength"])
    difference = named()["log_strength"] - slow["log_strength"]
    assert difference == pytest.approx(np.log(1024 / 600))


def test_precision_and_engine_are_told_apart():
    flags = ("weights_int8", "activations_int8", "engine_executorch")
    assert [named()[name] for name in flags] == [0, 0, 0]
    dynamic = named(precision="dynamic_wi8_afp32", engine="executorch")
    assert [dynamic[name] for name in flags] == [1, 0, 1]
    assert named(precision="static_wi8_ai8")["activations_int8"] == 1


def test_clock_left_to_the_kernel_counts_as_the_highest():
    assert named(setting=Setting("big", None)) == named(setting=Setting("big", 2_400_000))


def test_workload_that_does_nothing_is_refused():
    with pytest.raises(ValueError, match="do nothing"):
        named(workload=Workload(()))


def test_cluster_of_another_soc_is_refused():
    with pytest.raises(ValueError, match="no cluster 'mid'"):
        named(setting=Setting("mid", 1_000_000))
