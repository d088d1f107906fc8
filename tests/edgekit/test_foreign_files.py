"""Files of the user's that have the names of packages break nothing, and are never run."""

import os
import shutil
import subprocess
import sys

import pytest

from edgekit.doctor.engines import Trial, try_out
from tests.places import DATA, ROOT
from tests.runtime.tflite_builder import write_doubling_conv

KILL = "import os\nos.write(2, b'A FILE OF THE USER WAS RUN')\nos.kill(os.getpid(), 9)\n"
FILES = ("runtime/__init__.py", "predictors/__init__.py", "numpy.py", "queue.py", "click.py")
PLAN = "targets: [local]\nbundles: [sum.pte]\nsettings: {threads: [1]}\nbench: {runs: 5, blocks: 1}\n"


@pytest.fixture
def folder(tmp_path):
    """A working directory that no Python survives which imports from it."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(KILL)
    shutil.copy(DATA / "sum.pte", tmp_path)
    write_doubling_conv(tmp_path / "double.tflite")
    (tmp_path / "plan.yaml").write_text(PLAN)
    return tmp_path


def run(folder, *arguments):
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert "A FILE OF THE USER WAS RUN" not in done.stderr
    return done


@pytest.mark.parametrize(
    ("words", "shows"),
    [
        (("--help",), "Make a light model"),
        (("bench", "double.tflite", "--runs", "5", "--blocks", "1", "--threads", "1"), "litert-fp32"),
        (("targets",), "virtual:gs101"),
        pytest.param(
            ("bench", "sum.pte", "--runs", "5", "--blocks", "1", "--threads", "1"),
            "executorch-fp32",
            marks=pytest.mark.slow,
        ),
        pytest.param(("doctor",), "ok       LiteRT", marks=pytest.mark.slow),
        pytest.param(("lab", "run", "plan.yaml"), "executorch-fp32", marks=pytest.mark.slow),
    ],
)
def test_commands_work_in_such_a_folder(folder, words, shows):
    done = run(folder, "-m", "edgekit", *words)
    assert done.returncode == 0, done.stderr
    assert shows in done.stdout


def test_the_doctor_tries_engines_without_them(folder, monkeypatch):
    monkeypatch.chdir(folder)
    check = try_out(Trial("engine", "litert", "import queue, numpy; print('loads')"))
    assert check.state == "ok", check.value


def test_a_notebook_gets_the_packages_of_edgekit(folder):
    for name in ("numpy.py", "queue.py", "click.py"):  # a notebook's own folder comes first, as it should
        (folder / name).unlink()
    done = run(folder, "-c", "import edgekit, importlib.util as u; print(u.find_spec('predictors').origin)")
    assert done.stdout.strip() == str(ROOT / "predictors/__init__.py"), done.stderr


def test_a_package_of_that_name_in_use_is_told(folder):
    (folder / "runtime/__init__.py").write_text("")
    done = run(folder, "-c", "import runtime, edgekit")
    said = done.stderr.strip().splitlines()[-1]
    assert said.startswith(f"ImportError: the package 'runtime' of {folder / 'runtime'} was imported before")
