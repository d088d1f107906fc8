"""How Ray is started on this machine."""

import os
from types import SimpleNamespace

import pytest

from runtime.measure.lab import ray_cluster

NICENESS = "RAY_worker_niceness"


@pytest.mark.parametrize("chosen", [None, "5"])
def test_workers_are_as_urgent_as_the_command_unless_the_user_says_otherwise(monkeypatch, chosen):
    found = []
    fake = SimpleNamespace(init=lambda **_: found.append(os.environ[NICENESS]))
    monkeypatch.setattr(ray_cluster, "require", lambda *_: fake)
    monkeypatch.setattr(os, "environ", {} if chosen is None else {NICENESS: chosen})
    ray_cluster.open_ray(None, num_cpus=1)
    assert found == [chosen or "0"]
