import os
import time
from types import SimpleNamespace

import psutil
import pytest

from runtime.meters import BackgroundMeter


def test_others_share_is_the_machines_time_less_ones_own(monkeypatch):
    machine, own, now = (
        SimpleNamespace(user=10.0, system=5.0, guest=99.0),
        SimpleNamespace(user=1.0, system=1.0),
        [0.0],
    )
    monkeypatch.setattr(psutil, "cpu_times", lambda: machine)
    monkeypatch.setattr(psutil, "cpu_count", lambda: 4)
    monkeypatch.setattr(psutil.Process, "cpu_times", lambda self: own)
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    meter = BackgroundMeter(os.getpid())
    machine.user, own.user, now[0] = 16.0, 5.0, 5.0  # 6 s of work, 4 s of them ours, in 4 x 5 s
    assert meter.read_share() == pytest.approx(0.1)
