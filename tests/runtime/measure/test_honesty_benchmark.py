"""The honesty benchmark: its load is a load, and its figures say what they claim."""

import os
import random

import pytest

from runtime.device.meters.cpu_time import read_own_time_s
from tests.benchmarks._load import KINDS, Load, background, draw_loads
from tests.benchmarks.honesty import Pair, summarise_pairs


def test_loads_come_from_the_seed_and_some_benches_have_none():
    drawn = [draw_loads(random.Random(f"0/{n}"), 4) for n in range(100)]
    assert drawn == [draw_loads(random.Random(f"0/{n}"), 4) for n in range(100)]
    assert 20 < sum(not loads for loads in drawn) < 60
    assert {load.kind for loads in drawn for load in loads} == set(KINDS) - {"none"}
    assert max(len(loads) for loads in drawn) == 4


def test_generators_work_and_are_gone_afterwards():
    import multiprocessing
    import time

    with background([Load("steady", 5.0, 0.001)], "0"):
        [child] = multiprocessing.active_children()
        deadline_s = time.monotonic() + 30
        while (read_own_time_s(child.pid) or (1, 0))[0] < 0.5 and time.monotonic() < deadline_s:
            time.sleep(0.05)
        assert (read_own_time_s(child.pid) or (1, 0))[0] >= 0.5
    assert not os.path.exists(f"/proc/{child.pid}")


def pair(differ_pct, a="stable", b="stable", a_load="none"):
    return Pair(0, a_load, "steady 5/5 s", 10.0, 10.0, differ_pct, a, b, "")


def test_only_pairs_that_both_called_stable_count():
    summary = summarise_pairs([pair(1.0), pair(6.0), pair(50.0, b="unstable"), pair(2.0, a="unstable")])
    assert (summary["stable_pairs"], summary["stable_within_5pct_pct"]) == (2, 50.0)
    assert summary["worst_stable_pct"] == 6.0
    assert (summary["unstable_benches"], summary["quiet_benches"], summary["quiet_stable"]) == (2, 4, 3)
    assert summary["other_within_5pct_pct"] == 50.0


def test_no_stable_pair_claims_nothing():
    assert summarise_pairs([pair(1.0, a="unstable")])["stable_within_5pct_pct"] is None


@pytest.mark.slow
def test_a_pair_for_real(tmp_path):
    from click.testing import CliRunner

    from tests.benchmarks.honesty import main

    out = tmp_path / "h.json"
    result = CliRunner().invoke(main, ["--pairs", "1", "--blocks", "2", "--json", str(out)])
    assert result.exit_code == 0, result.output
    assert '"pairs": 1' in out.read_text()
