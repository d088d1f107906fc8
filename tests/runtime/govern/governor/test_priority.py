"""Who runs before whom while a governor serves."""

import os
import threading

import pytest

from runtime.govern.governor.priority import ahead_of_programs


def own_nice():
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs before others")
def test_a_governors_thread_runs_ahead_and_only_while_it_serves():
    before, others = own_nice(), []
    beside = threading.Thread(target=lambda: others.append(own_nice()))
    with ahead_of_programs():
        assert own_nice() == min(before, -10)
    beside.start()
    beside.join()
    assert (own_nice(), others) == (before, [before])


def test_without_the_right_to_it_serves_all_the_same(monkeypatch):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", refuse)
    before = own_nice()
    with ahead_of_programs():
        assert own_nice() == before
