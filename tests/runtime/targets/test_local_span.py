"""Clusters of like cores used as one on a board: its clocks, its CPUs, its name for the cores."""

import pytest

from runtime.device.actuators import CpuFreq, Journal
from runtime.device.setting import Setting
from runtime.device.soc import load_profile
from runtime.device.soc.tree import SocTree
from runtime.engines.model_file import open_bundle_or_model
from runtime.targets import LocalTarget, choose_settings
from runtime.targets.local import read_profile
from tests.runtime.device.meters.machine import write

PARTS = {"cortex-a55": "0xd05", "cortex-a76": "0xd0b", "cortex-x1": "0xd44"}


@pytest.fixture
def board(tmp_path):
    profile = load_profile("gs101")
    tree = SocTree(profile, tmp_path)
    cpuinfo = "\n\n".join(
        f"processor\t: {cpu}\nCPU implementer\t: 0x41\nCPU part\t: {PARTS[cluster.core]}"
        for cluster in profile.clusters
        for cpu in cluster.cpus
    )
    write(tmp_path, {"proc/cpuinfo": cpuinfo})
    target = LocalTarget(tmp_path)
    target.profile = read_profile(tmp_path)  # with CPUs that this machine has not
    target.cpufreq = CpuFreq(tmp_path, settle=tree.settle, journal=Journal(tmp_path / "journal"))
    target.capability = type(target.capability)("sysfs")
    return target, tree


def test_clusters_are_named_by_their_cores(board):
    target, _ = board
    assert [c.core for c in target.profile.clusters] == ["cortex-a55", "cortex-a76", "cortex-x1"]


def test_the_clocks_of_both_clusters_are_held_and_restored(board, tflite, monkeypatch):
    target, tree = board
    pinned = []

    class Model:
        version, inputs, pid = "fake", (), None

        def __init__(self, engine, path, *, threads, cpus, **given):
            self.cpus = cpus
            pinned.append(cpus)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

    monkeypatch.setattr("runtime.targets.local.EngineProcess", Model)
    bundle = open_bundle_or_model(tflite)
    [setting] = choose_settings(target, (3,), ["mid+big"], [1_106_000])
    assert setting == Setting("mid+big", 1_106_000, 3)

    def read(name):
        return [(tree.cpu_dir / f"cpufreq/policy{n}/{name}").read_text().strip() for n in (4, 6)]

    with target.session(bundle, bundle.manifest.variant(), setting):
        assert read("scaling_cur_freq") == ["1024000", "1106000"]
    assert read("scaling_governor") == ["schedutil", "schedutil"]
    assert pinned == [(5, 6, 7)]
