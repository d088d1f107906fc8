from dataclasses import replace

import numpy as np
import pytest

from runtime.device.setting import Setting
from runtime.device.soc import modelled_latency_ms
from runtime.engines.model_file import open_bundle_or_model
from runtime.errors import DeviceStableError
from runtime.targets import VirtualTarget, choose_settings

DARK = """
name = "dark"
title = "A board"
board = "on my desk"
[[clusters]]
name = "little"
core = "cortex-a53"
cpus = [0, 1]
opps = [{ freq_khz = 1000 }]
[[clusters]]
name = "big"
core = "cortex-a72"
cpus = [2, 3]
opps = [{ freq_khz = 2000 }]
"""


@pytest.fixture(scope="module")
def target():
    return VirtualTarget("gs101")


@pytest.fixture(scope="module")
def bundle(tflite):
    return open_bundle_or_model(tflite)


def test_settings_are_clocks_times_threads_with_enough_cpus(target):
    settings = target.settings((1, 3))
    assert Setting("big", 2802000, 1) in settings
    assert Setting("little", 300000, 3) in settings
    assert {s.cluster for s in settings if s.threads == 3} == {"little", "mid+big"}
    assert len(settings) == 11 + 14 + 18 + 11 + 18
    with pytest.raises(ValueError, match=r"threads is \[9\]; the clusters of gs101 run: little 1 to 4"):
        target.settings((9,))


def test_latency_is_the_models_at_the_clock_read_back(target, bundle):
    variant, setting = bundle.manifest.variant(), Setting("mid", 1197000)
    with target.session(bundle, variant, setting) as session:
        assert session.setting_read == setting
        samples = session.sample(warmup=5, runs=30)
    expected_ms = modelled_latency_ms(bundle.workload(variant), target.profile, setting)
    assert samples.samples_ms == (expected_ms,)
    assert (samples.first_ms, session.control_level) == (None, "sysfs")


def test_threads_span_clusters_of_like_cores(target, bundle):
    variant, setting = bundle.manifest.variant(), Setting("mid+big", 1106000, 3)
    policies = target.root / "sys/devices/system/cpu/cpufreq"
    with target.session(bundle, variant, setting) as session:
        assert session.setting_read == setting
        assert (policies / "policy4/scaling_cur_freq").read_text().strip() == "1024000"
        samples = session.sample(warmup=5, runs=30)
    assert samples.samples_ms == (modelled_latency_ms(bundle.workload(variant), target.profile, setting),)
    for policy in ("policy4", "policy6"):
        assert (policies / policy / "scaling_governor").read_text().strip() == "schedutil"
    assert choose_settings(target, (4,), ["big+mid"], [2802000]) == (Setting("mid+big", 2802000, 4),)
    with (
        pytest.raises(ValueError, match="little's cortex-a55 runs instructions in order"),
        target.session(bundle, variant, Setting("little+big", None, 5)),
    ):
        pass


def test_the_fake_machine_is_put_back(target, bundle):
    governor = target.root / "sys/devices/system/cpu/cpufreq/policy4/scaling_governor"
    with target.session(bundle, bundle.manifest.variant(), Setting("mid", 400000)):
        assert governor.read_text().strip() == "userspace"
    assert governor.read_text().strip() == "schedutil"


def test_outputs_are_computed_for_real(target, bundle):
    image = np.ones((1, 8, 8, 4), np.float32)
    with target.session(bundle, bundle.manifest.variant(), Setting("big", 500000)) as session:
        frame = session.run([image])
        assert session.run().outputs[0].shape == (1, 8, 8, 4)
    np.testing.assert_array_equal(frame.outputs[0], 2 * image)
    assert frame.latency_ms == session.sample(warmup=0, runs=1).samples_ms[0]


def test_a_clock_left_to_the_kernel_is_its_highest_for_busy_cores(target, bundle):
    with target.session(bundle, bundle.manifest.variant(), Setting("little", None)) as session:
        assert session.setting_read == Setting("little", 1803000)
    assert target.power(Setting("little", None)).power_mw == 199.99  # over the idle cluster's 36.89


def test_without_a_power_figure_there_is_a_note(tmp_path):
    path = tmp_path / "dark.toml"
    path.write_text(DARK)
    target = VirtualTarget(str(path))
    assert target.power(Setting("big", 2000)) is None
    assert "neither measured nor with a known voltage" in target.energy_note


def test_powers_of_unlike_bases_are_no_match(tmp_path):
    path = tmp_path / "mixed.toml"
    told = 'power_source = "mine"\npower_basis = "{}"\ncpus = '
    mixed = DARK.replace("000 }", "000, power_mw = 50 }").replace("cpus = ", told)
    path.write_text(mixed.replace("{}", "rail", 1).replace("{}", "battery", 1))
    target = VirtualTarget(str(path))
    assert target.power(Setting("big", 2000)) is None
    assert "unlike bases (little: rail, big: battery) and cannot be compared" in target.energy_note


def test_a_model_that_does_not_tell_its_cost_cannot_be_played(target, bundle):
    bundle = replace(bundle, workloads={})
    with (
        pytest.raises(
            DeviceStableError, match=r"double.tflite comes without a table of its operations.*--target local"
        ),
        target.session(bundle, bundle.manifest.variant(), target.settings()[0]),
    ):
        pass


def test_a_clock_the_cluster_lacks(target, bundle):
    with (
        pytest.raises(ValueError, match="no clock of 5 kHz"),
        target.session(bundle, bundle.manifest.variant(), Setting("big", 5)),
    ):
        pass


def test_every_second_clock_keeps_the_fastest_and_the_slowest(target):
    clocks = [s.freq_khz for s in choose_settings(target, (1,), ["little"], every=2)]
    assert clocks == [300000, 738000, 1098000, 1328000, 1598000, 1803000]


def test_choose_settings(target):
    assert choose_settings(target, (1,), ["big"], [500000]) == (Setting("big", 500000),)
    assert len(choose_settings(target, (1,), ["mid", "big"])) == 14 + 18
    assert {s.cluster for s in choose_settings(target, (1,), (), [1197000])} == {"little", "mid"}
    with pytest.raises(ValueError, match="gs101 has no clock of 7 kHz; choose one of little: "):
        choose_settings(target, (1,), (), [7])
    with pytest.raises(ValueError, match="no cluster 'huge'"):
        choose_settings(target, (1,), ["huge"])
