"""A small fault campaign on a tree of files; the whole one is ``python -m tests.benchmarks.faults``."""

import os

import pytest

from tests.benchmarks._faults import Place
from tests.benchmarks.faults import campaign
from tests.runtime.fake_device import make_device

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="mounting and changing the user need root")


@pytest.fixture
def place(tmp_path, tflite):
    (tmp_path / "work").mkdir()
    return Place(make_device(tmp_path).root, tmp_path / "work", tflite)


def check(place, only, kills=1):
    rows = list(campaign(place, place, kills, seed=1, only=only))
    if not rows:
        pytest.skip("this machine does not let the fault be made")
    assert all(row["ok"] == row["cases"] > 0 for row in rows), rows


@pytest.mark.parametrize("only", ["two runs", "vanishes", "set back or forth"])
def test_the_machine_is_as_before(place, only):
    check(place, only)


@root_only
@pytest.mark.parametrize("only", ["EINVAL", "no room for the journal"])
def test_what_cannot_be_written_changes_nothing(place, only):
    check(place, only)


@pytest.mark.slow
@pytest.mark.parametrize(
    "only",
    ["kill -9 the agent", "kill -9 the host side", "kill -9 both", "in a thread", "in a row", "the restore"],
)
def test_killed_at_random_moments(place, only):
    check(place, only, kills=5)
