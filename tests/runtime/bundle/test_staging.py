"""What killed processes leave is removed by who comes next; what is in the making is left alone."""

import signal
import subprocess
import sys

import pytest

from runtime.bundle import staging, write_atomic
from runtime.bundle.staging import restore_replaced, staging_file, staging_folder, swap_in
from tests.places import ROOT

DIES = """
import os, signal, sys
from pathlib import Path
from runtime.bundle.staging import staging_file, staging_folder
here = Path(sys.argv[1])
with staging_folder(here, "net.tmp-") as folder, staging_file(here / "net.json"):
    (folder / "half").write_text("...")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def leave(folder):
    """Kill a process that has a folder and a file in the making."""
    done = subprocess.run([sys.executable, "-c", DIES, folder], cwd=ROOT)
    assert done.returncode == -signal.SIGKILL
    assert len(list(folder.iterdir())) == 2


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_who_comes_next_removes_what_a_killed_process_left(tmp_path):
    leave(tmp_path)
    with staging_folder(tmp_path, "net.tmp-") as folder:
        assert list(folder.iterdir()) == []
        assert [path for path in tmp_path.iterdir() if path.is_dir()] == [folder]
    write_atomic(tmp_path / "net.json", b"{}")
    assert names(tmp_path) == ["net.json"]


def test_what_others_are_making_is_left_alone(tmp_path):
    with staging_folder(tmp_path, "net.tmp-") as first, staging_file(tmp_path / "net.json") as (file, _):
        with staging_folder(tmp_path, "net.tmp-") as second:
            assert first.is_dir()
            assert second.is_dir()
        write_atomic(tmp_path / "net.json", b"{}")
        assert file.exists()
    assert names(tmp_path) == ["net.json"]


def test_other_files_are_not_touched(tmp_path):
    kept = [".net.json.0123456789abcdef.new", "net.json", "other.tmp-1", ".other.json.x.part"]
    for name in kept:
        (tmp_path / name).write_text("kept")
    write_atomic(tmp_path / "net.json", b"{}")
    with staging_folder(tmp_path, "net.tmp-"):
        pass
    assert names(tmp_path) == sorted(kept)


@pytest.fixture
def two(tmp_path):
    """A folder and the one that is to replace it."""
    for name in ("net", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    return tmp_path


@pytest.mark.parametrize("exchanges", [True, False])
def test_a_folder_replaces_another(two, exchanges, monkeypatch):
    if not exchanges:  # as on file systems that cannot
        monkeypatch.setattr(staging, "_exchange", lambda one, other: False)
    swap_in(two / "new", two / "net")
    assert names(two / "net") == ["new"]
    assert names(two) == (["net", "new"] if exchanges else ["net"])  # the old one, for who made it to remove


def test_a_replacement_that_was_killed_half_way_is_restored(two):
    (two / "net").rename(two / ".net.replaced")
    restore_replaced(two / "net")
    assert names(two) == ["net", "new"]
    (two / "new").rename(two / ".net.replaced")
    restore_replaced(two / "net")
    assert names(two) == ["net"]
    assert names(two / "net") == ["net"]
