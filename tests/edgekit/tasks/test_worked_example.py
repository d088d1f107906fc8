"""The task that docs/tasks.md adds works as the page says, without a line that is not on it."""

import os
import re
import subprocess
import sys

import pytest
from PIL import Image

from tests.places import ROOT

PAGE = (ROOT / "docs" / "tasks.md").read_text(encoding="utf-8")
OWN = PAGE[PAGE.index("## A task of your own") :]


@pytest.fixture
def package(tmp_path):
    """The page's files in a folder, installed as pip would leave them."""
    task, test = re.findall(r"```python\n(.*?)```", OWN, re.DOTALL)
    points = re.search(r"```toml\n(.*?)```", OWN, re.DOTALL)[1]
    assert len((task + test).splitlines()) < 200
    (tmp_path / "depth.py").write_text(task)
    (tmp_path / "test_depth.py").write_text(test)
    installed = tmp_path / "depth-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: depth\nVersion: 1.0\n")
    groups = re.findall(r'\[project\.entry-points\."(.*?)"\]\n(.*?)\n(?=\n|$)', points, re.DOTALL)
    assert len(groups) == 2
    text = "\n".join(f"[{group}]\n{lines}" for group, lines in groups).replace('"', "")
    (installed / "entry_points.txt").write_text(text + "\n")
    return tmp_path


def run(package, *command):
    paths = os.pathsep.join([str(package), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": paths, "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, *command], cwd=package, env=environment, capture_output=True, text=True, timeout=500
    )


@pytest.mark.slow  # trains in a process of its own
def test_its_test_passes(package):
    done = run(package, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_depth.py")
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.slow  # trains, and exports a network
def test_every_command_knows_it(package):
    commands = re.findall(r"^edgekit (.*)$", OWN, re.MULTILINE)
    assert [line.split()[0] for line in commands] == ["tasks", "train", "export", "evaluate", "run"]
    Image.linear_gradient("L").resize((48, 32)).save(package / "surface.png")
    for line in commands:
        done = run(package, "-c", "from edgekit.cli import main; main()", *line.split())
        assert done.returncode == 0, (line, done.stderr[-3000:])
        if line.startswith("evaluate"):
            assert "within_10pct" in done.stdout
    assert Image.open(package / "heights.png").size[0] >= 32
