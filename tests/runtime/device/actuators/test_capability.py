import os

from runtime.device.actuators import probe
from runtime.device.soc import load_profile
from runtime.device.soc.tree import SocTree


def test_writable_clocks_are_the_highest_control_level(tmp_path):
    SocTree(load_profile("gs101"), tmp_path)
    assert (probe(tmp_path).level, probe(tmp_path).reasons) == ("sysfs", ())


def test_locked_clocks_leave_the_choice_of_cores(tmp_path, monkeypatch):
    SocTree(load_profile("gs101"), tmp_path)
    monkeypatch.setattr(os, "access", lambda path, mode: "policy6" not in str(path))
    assert probe(tmp_path).level == "affinity"
    assert "policy6/scaling_max_freq is not writable: run as root" in probe(tmp_path).reasons[0]


def test_no_clocks_at_all(tmp_path):
    assert probe(tmp_path).level == "affinity"
    assert "no clock domains below" in probe(tmp_path).reasons[0]


def test_no_affinity_either(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "sched_setaffinity")
    assert (probe(tmp_path).level, len(probe(tmp_path).reasons)) == ("threads", 3)
