"""A device to be reached through an agent: a tree of clocks in files, a state folder of its own."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from runtime.device.soc import load_profile
from runtime.device.soc.tree import CPU_DIR, SocTree
from tests.places import ROOT

BARE_BOARD = ("numpy", "torch", "ai_edge_litert", "tflite_runtime")
HIDE = """
import sys
from importlib.machinery import PathFinder


class Bare(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        hidden = name.partition(".")[0] in NAMES
        return None if hidden else super().find_spec(name, path, target)


sys.meta_path[sys.meta_path.index(PathFinder)] = Bare
"""


@dataclass(frozen=True)
class Device:
    root: Path
    state: Path


def make_device(folder):
    """Make a gs101 whose clocks are files without a kernel behind them, so without a current clock."""
    tree = SocTree(load_profile("gs101"), folder / "device")
    for file in tree.cpu_dir.glob("cpufreq/policy*/scaling_cur_freq"):
        file.unlink()
    return Device(folder / "device", folder / "state")


def environment(device):
    """Return the environment in which an agent is on that device."""
    ours = {
        "EDGEKIT_ROOT": str(device.root),
        "XDG_STATE_HOME": str(device.state),
        "PYTHONPATH": str(ROOT),
    }
    return os.environ | ours


def hide_packages(folder, names=BARE_BOARD):
    """Return a folder for PYTHONPATH that hides packages from Pythons, as on a bare board."""
    (folder / "site").mkdir()
    (folder / "site/sitecustomize.py").write_text(f"NAMES = {names!r}\n{HIDE}")
    return folder / "site"


def cpufreq_files(device):
    """Return what every file below cpufreq holds.

    All but ``scaling_setspeed``: a kernel shows it as unsupported under any governor but userspace,
    and these files have no kernel behind them.
    """
    folder = device.root / CPU_DIR / "cpufreq"
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "scaling_setspeed")
    return {str(path): path.read_text().strip() for path in files}


def wait_for(claim, seconds=10.0):
    """Return whether ``claim`` came true within ``seconds``."""
    until_s = time.monotonic() + seconds
    while not claim() and time.monotonic() < until_s:
        time.sleep(0.02)
    return claim()
