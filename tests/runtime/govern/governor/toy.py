"""A toy phone for governors: two clusters in a tree of files, and rows to choose from."""

from dataclasses import dataclass, field

from runtime.choose.decision import DecisionTable
from runtime.choose.decision.controller import Controller
from runtime.choose.policy.estimate import Estimate
from runtime.device.actuators import CpuFreq, Journal
from runtime.device.setting import Setting
from runtime.device.soc import load_profile
from runtime.device.soc.tree import SocTree
from runtime.govern.governor.clocks import Clocks
from runtime.govern.governor.governor import Governor
from runtime.govern.governor.machine import GovernedMachine

PROFILE = load_profile("gs101")  # little 0-3, mid 4-5, big 6-7


def row(cluster, freq_khz, latency_ms, power_mw):
    energy_mj = None if power_mw is None else power_mw * latency_ms / 1000
    return Estimate(
        "litert-fp32",
        Setting(cluster, freq_khz),
        latency_ms,
        latency_ms,
        1.1 * latency_ms,
        power_mw,
        energy_mj,
    )


# cheapest first; bounds of 44, 22, 11 and 5.5 ms
TABLE = DecisionTable(
    (
        row("mid", 400_000, 40.0, 20.0),
        row("mid", 799_000, 20.0, 60.0),
        row("big", 1_106_000, 10.0, 200.0),
        row("big", 2_850_000, 5.0, 1400.0),
    )
)


class Now:
    """A clock that stands until it is set."""

    def __init__(self):
        self.s = 0.0

    def __call__(self):
        return self.s


@dataclass
class Toy:
    """A governed phone, and what was done to it."""

    tree: SocTree
    now: Now
    clocks: Clocks
    governor: Governor
    messages: list = field(default_factory=list)
    moved: list = field(default_factory=list)
    lines: list = field(default_factory=list)

    def read(self, cluster, name="scaling_cur_freq"):
        policy = {"little": 0, "mid": 4, "big": 6}[cluster]
        return (self.tree.cpu_dir / f"cpufreq/policy{policy}/{name}").read_text().strip()

    def write(self, cluster, name, value):
        policy = {"little": 0, "mid": 4, "big": 6}[cluster]
        (self.tree.cpu_dir / f"cpufreq/policy{policy}/{name}").write_text(f"{value}\n")
        self.tree.settle()

    def governors(self):
        return [self.read(cluster, "scaling_governor") for cluster in ("little", "mid", "big")]


def toy(
    tmp_path,
    rows=TABLE,
    settle=None,
    is_relative=False,
    profile=PROFILE,
    strategies=None,
    bounds_only=False,
    **given,
):
    """A phone whose sessions follow ``strategies(deadline_ms, period_ms)``; default: of steady frames.

    ``bounds_only``: its driver chooses the clock between bounds, as intel_pstate does.
    """
    kind = {"governors": ("performance", "powersave"), "driver": "intel_pstate"} if bounds_only else {}
    tree, now = SocTree(profile, tmp_path / "root", **kind), Now()
    messages, moved, lines = [], [], []
    cpufreq = CpuFreq(
        tree.root,
        settle=(lambda: settle(tree)) if settle else tree.settle,
        journal=Journal(tmp_path / "journal"),
    )
    clocks = Clocks(cpufreq, profile, now=now, on_message=messages.append)
    machine = GovernedMachine(
        profile, clocks, mover=lambda tids, cpus: moved.append((tids, cpus)), on_message=messages.append
    )
    governor = Governor(
        machine,
        strategies or (lambda deadline_ms, period_ms: Controller(rows, deadline_ms, is_relative=is_relative)),
        now=now,
        write=lines.append,
        on_message=messages.append,
        **given,
    )
    return Toy(tree, now, clocks, governor, messages, moved, lines)
