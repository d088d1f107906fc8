"""The decision in C is the one in Python, to the bit."""

import math
import random
import struct
import subprocess

import pytest

from runtime.choose.decision import DecisionTable
from runtime.choose.policy.estimate import Estimate
from runtime.device.emulation.steal import find_compiler
from runtime.device.setting import Setting
from runtime.govern.compiled.c_source import c_name, c_sources
from runtime.govern.compiled.emit import governor_sources
from tests.runtime.govern.compiled.compiled import (
    ARM_CC,
    ARM_RUN,
    build_asker,
    needs_arm,
    needs_compiler,
    phone_table,
)
from tests.runtime.govern.compiled.strategies import ODD

NO_CAP = 2**63 - 1
DECISIONS = 100_000


def write_sources(folder, model, table, cpus, **settings):
    for file, text in (c_sources(model, table, cpus, 33.3, **settings) | governor_sources(model)).items():
        (folder / file).write_text(text)
    return c_name(model)


def ask(program, questions, answers, *prefix):
    done = subprocess.run([*prefix, program], input=questions, stdout=subprocess.PIPE, check=True)
    assert len(done.stdout) == 8 * len(answers)
    return done.stdout


def decisions(table, count, seed):
    """Return raw questions and the answers of Python, with every row's own bounds among the numbers."""
    draw, clusters = random.Random(seed), table.clusters
    bounds = [row.latency_high_ms for row in table.rows]
    exact = bounds + [row.power_mw or 0.0 for row in table.rows]
    edges = [
        *exact,
        *(math.nextafter(x, math.inf) for x in exact),
        *(math.nextafter(x, 0) for x in exact),
        *ODD,
    ]
    clocks = [row.setting.freq_khz or 0 for row in table.rows]
    questions, answers = [], []
    for _ in range(count):
        slowdown = draw.choice((1.0, draw.uniform(0.4, 9.0), draw.choice(ODD)))
        edge = draw.choice(edges)
        deadline_ms = draw.choice((draw.uniform(0, 100), edge, edge * slowdown))
        max_power_mw = draw.choice((math.inf, draw.uniform(0, 3000), draw.choice(edges)))
        caps = {c: draw.choice(clocks) + draw.choice((0, 0, -1, 1)) for c in clusters if draw.random() < 0.3}
        numbers = [caps.get(cluster, NO_CAP) for cluster in clusters]
        questions.append(
            struct.pack(f"=qddd{len(clusters)}q", bool(caps), deadline_ms, slowdown, max_power_mw, *numbers)
        )
        answers.append(table.decide(deadline_ms, slowdown, max_power_mw=max_power_mw, max_freq_khz=caps))
    return b"".join(questions), answers


@needs_compiler
def test_a_hundred_thousand_decisions_are_python_s(tmp_path):
    table, cpus = phone_table()
    program = build_asker(tmp_path, write_sources(tmp_path, "net", table, cpus))
    questions, answers = decisions(table, DECISIONS, seed=0)
    assert struct.unpack(f"={DECISIONS}q", ask(program, questions, answers)) == tuple(answers)
    assert len(set(answers)) > len(table.rows) / 2  # the questions do tell rows apart


@needs_compiler
def test_rows_of_unknown_power_and_clock_are_the_same_too(tmp_path):
    rows = (
        Estimate("a", Setting("one", None), 20.0, 20.0, 22.0, None, None),
        Estimate("b", Setting("two", 700_000, 4), 10.0, 10.0, 11.0, 300.0, 3.0),
        Estimate("a", Setting("two", 900_000, 4), 8.0, 8.0, 11.0, None, None),
    )
    table = DecisionTable(rows)
    name = write_sources(tmp_path, "net", table, {"one": (0,), "two": (1, 2)})
    questions, answers = decisions(table, 2000, seed=2)
    raw = ask(build_asker(tmp_path, name), questions, answers)
    assert struct.unpack("=2000q", raw) == tuple(answers)


@needs_compiler
def test_no_name_or_remark_can_break_the_code(tmp_path):
    odd = '*/ "x" \\ ??/ %s \n#error é /* @NAME@'
    table = DecisionTable((Estimate(odd, Setting(odd, 1), 1.0, 1.0, 1.0, None, None),))
    name = write_sources(tmp_path, f"1 {odd}", table, {odd: (0,)}, about=[odd, odd + "\\"])
    assert name == "edgekit_1_x_s_error_name"
    (tmp_path / "show.c").write_text(
        '#include <stdio.h>\n#include "table.h"\n'
        "int main(void) { fputs(table_rows[0].variant, stdout); return 0; }\n"
    )
    flags = ["-std=c99", "-trigraphs", "-Wall", "-Werror", f"-I{tmp_path}", "-o", tmp_path / "show"]
    subprocess.run([find_compiler(), *flags, tmp_path / "show.c", tmp_path / f"{name}.c"], check=True)
    shown = subprocess.run([tmp_path / "show"], capture_output=True, check=True)
    assert shown.stdout.decode() == odd


@needs_compiler
def test_a_build_that_would_decide_otherwise_is_refused(tmp_path):
    table, cpus = phone_table()
    name = write_sources(tmp_path, "net", table, cpus)
    done = subprocess.run(
        [find_compiler(), "-ffast-math", "-c", tmp_path / f"{name}.c", "-o", tmp_path / "x.o"],
        capture_output=True,
        check=False,
    )
    assert done.returncode != 0
    assert b"build without -ffast-math" in done.stderr


def test_what_c_cannot_hold_is_refused():
    row = Estimate("a", Setting("one", 700_000), 20.0, 20.0, 22.0, None, None)
    with pytest.raises(ValueError, match="cluster 'one' has CPUs None"):
        c_sources("net", DecisionTable((row,)), {}, 33.3)


@pytest.mark.slow
@needs_arm
def test_on_arm_decisions_are_python_s(tmp_path):
    table, cpus = phone_table()
    name = write_sources(tmp_path, "net", table, cpus)
    program = build_asker(tmp_path, name, ARM_CC, ("-static", "-O3", "-ffp-contract=fast"))
    questions, answers = decisions(table, DECISIONS, seed=0)
    assert struct.unpack(f"={DECISIONS}q", ask(program, questions, answers, ARM_RUN)) == tuple(answers)
