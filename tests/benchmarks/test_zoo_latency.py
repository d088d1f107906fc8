"""The benchmark's arithmetic on networks whose ops' true times are known."""

import numpy as np
import pytest

from runtime.bundle.workload import Workload
from runtime.choose.fitting.features import features
from runtime.choose.fitting.op_features import op_features
from runtime.device.setting import Setting
from runtime.device.soc import load_profile, modelled_latency_ms
from tests.benchmarks.zoo_latency import Network, by_op, leave_out, same_family, same_name, summarise
from tests.networks import draw_workloads

SOC, SETTING = load_profile("sm8250"), Setting("big", 2_457_600)


def networks(count):
    for number, workload in enumerate(draw_workloads(count)):
        ops_ms = [modelled_latency_ms(Workload((op,)), SOC, SETTING) for op in workload.ops]
        whole = features(workload, SOC, SETTING, "fp32", "litert", with_costs=True)
        name = f"family{number % 3}-{number}-1"
        yield Network(name, op_features(workload), np.array(ops_ms), whole, 1.1 * sum(ops_ms) + 0.1, 2.0)


def test_each_network_is_predicted_by_the_others_alone():
    every = list(networks(14))
    seen = []
    leave_out(every, lambda others, one: seen.append([n.name for n in others]) or 1.0, same_name)
    assert [len(names) for names in seen] == [13] * 14
    assert all(one.name not in names for one, names in zip(every, seen, strict=True))
    assert same_family("resnet18-1-96", "resnet56-1-32")
    assert not same_family("mobilenet_v2-1-96", "mobilenet_v3_small-1-128")


def test_whole_frames_are_the_ops_and_what_the_frame_adds():
    every = list(networks(20))
    predicted = [by_op(every[:-3], one) for one in every[-3:]]
    assert predicted == pytest.approx([one.latency_ms for one in every[-3:]], rel=0.1)
    summary = summarise(every[-3:], {"by_op_pct": predicted})
    assert summary["by_op_within_10pct_pct"] == 100
    assert summary["by_op_mape_pct"] < 10
