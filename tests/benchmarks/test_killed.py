"""A short campaign; the whole one is ``python -m tests.benchmarks.killed``."""

import pytest

from runtime.errors import BundleError
from tests.benchmarks._killed_jobs import Job, make_jobs
from tests.benchmarks._killed_place import Place
from tests.benchmarks.killed import campaign

WRITES = """
import pathlib, time
pathlib.Path("half").write_text("")
pathlib.Path("temporary").write_text("")
time.sleep(0.5)
pathlib.Path("half").write_text("whole")
"""


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path, phone=None)
    place.clear()
    return place


@pytest.mark.slow
@pytest.mark.parametrize("name", ["train", "export litert"])
def test_nothing_is_lost_and_nothing_left(place, name):
    [row] = campaign(place, {name: make_jobs(place.folder, place.home)[name]}, kills=2, seed=5)
    assert row["tried"] == 2
    assert not any(row[count] for count in ("lost", "half", "left_behind", "processes", "changed", "failed"))


def test_a_command_that_does_not_clear_up_is_found(place, monkeypatch):
    def finished(work):
        if (work / "half").is_file() and (work / "half").read_text() == "":
            raise BundleError("half of it")
        return set()

    def prepare(work):
        (work / "write.py").write_text(WRITES)

    monkeypatch.setattr("tests.benchmarks.killed.PROGRAM", ())
    job = Job(("write.py",), prepare, finished, lambda work: (work / "half").read_text() == "whole")
    [row] = campaign(place, {"write": job}, kills=3, seed=0)
    assert row["tried"] == 3
    assert row["half"] > 0
