"""Policies of a fake phone as C, compiled: what several tests need."""

import shutil
import subprocess
from pathlib import Path

import pytest

from runtime.choose.decision import DecisionTable
from runtime.choose.policy.estimate import Estimate
from runtime.choose.tuning.request import PolicyRequest
from runtime.choose.tuning.tune import tune_bundle
from runtime.device.emulation.steal import find_compiler
from runtime.device.setting import Setting
from runtime.device.soc import load_profile
from runtime.govern.compiled.emit import PROGRAM, emit_c
from tests.runtime.phone import Phone, make_bundle, make_records

ASKER = Path(__file__).parent / "decide_all.c"
FLAGS = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-O2")
ARM_CC, ARM_RUN = "aarch64-linux-gnu-gcc", "qemu-aarch64-static"

needs_compiler = pytest.mark.skipif(find_compiler() is None, reason="no C compiler (cc, gcc, clang)")
needs_make = pytest.mark.skipif(
    find_compiler() is None or shutil.which("make") is None, reason="no C compiler or no make"
)
needs_arm = pytest.mark.skipif(
    shutil.which(ARM_CC) is None or shutil.which(ARM_RUN) is None or shutil.which("make") is None,
    reason=f"no {ARM_CC}, {ARM_RUN} or make",
)


def emit_toy(folder, fps=30.0, **phone):
    """Tune the toy bundle on the toy phone and write its policy as C; returns policy and what was emitted."""
    bundle, target = make_bundle(folder, variants=("litert-fp32", "executorch-fp32")), Phone(**phone)
    records = make_records(bundle, target, settings=target.settings((1, 2)))
    bundle, policy = tune_bundle(bundle, target, PolicyRequest(fps=fps), records=records, threads=(1, 2))
    return policy, emit_c(bundle, policy, target.profile, folder / "c")


def build_asker(folder, name, compiler=None, flags=()):
    """Compile the decision alone with a program that asks it, as any application would: no Makefile."""
    program = folder / "ask"
    subprocess.run(
        [
            compiler or find_compiler(),
            *FLAGS,
            *flags,
            f"-I{folder}",
            ASKER,
            folder / f"{name}.c",
            "-o",
            program,
        ],
        check=True,
    )
    return program


def build_governor(emitted, *arguments):
    """Build the governor with its own Makefile; any warning fails."""
    subprocess.run(
        [*emitted.build.split(), "CFLAGS=-O2 -Werror", *arguments], check=True, capture_output=True
    )
    return emitted.folder / PROGRAM


def phone_table(soc="gs101", full_ms=4.0):
    """Return a table over every clock of a SoC, for work that takes ``full_ms`` at its full capacity."""
    profile, rows = load_profile(soc), []
    for cluster in profile.clusters:
        for opp in cluster.opps:
            ms = full_ms * 1024 / profile.capacity(cluster, opp.freq_khz)
            power_mw = opp.power_mw
            energy_mj = None if power_mw is None else power_mw * ms / 1e3
            rows.append(
                Estimate("fp32", Setting(cluster.name, opp.freq_khz), ms, ms, 1.1 * ms, power_mw, energy_mj)
            )
    rows.sort(key=lambda row: (row.energy_mj is None, row.energy_mj or 0.0))
    over_mw = None if any(row.power_mw is None for row in rows) else 0.0
    return DecisionTable(tuple(rows), over_mw), {cluster.name: cluster.cpus for cluster in profile.clusters}
