"""The native governor's control is the one in Python, frame by frame and to the bit, over simulated hours."""

import math
import random
import struct
import subprocess
from pathlib import Path

from runtime.choose.decision.controller import Controller
from runtime.device.emulation.steal import find_compiler
from runtime.govern.compiled.c_source import c_name, c_sources
from runtime.govern.compiled.emit import governor_sources
from tests.runtime.govern.compiled.compiled import needs_compiler, phone_table

PLAYER = Path(__file__).parent / "control_all.c"
DEADLINE_MS = 33.3
FRAME, DEADLINE, CAP = range(3)


def play(table, steps, seed):
    """Return raw events of a device that is slow and quick by turns, and what Python makes of each."""
    draw = random.Random(seed)
    controller = Controller(table, DEADLINE_MS)
    row, now_s, events, answers, backed_off = controller.decide(0.0).row, 0.0, [], [], 0
    for step in range(steps):
        now_s += draw.choice((0.0, 0.033, 0.033, 0.5))
        if step % 50 == 0:
            level, odd = draw.choice((0.7, 1.0, 1.2, 2.0)), draw.choice((0.02, 0.4))
        kind = draw.choices((FRAME, DEADLINE, CAP), (60, 1, 1))[0]
        if kind == FRAME:
            at = table.rows[-1 if row is None else row].latency_high_ms
            value = at * level * draw.lognormvariate(0, 0.1) * (4 if draw.random() < odd else 1)
            controller.observe(value, row, now_s)
        elif kind == DEADLINE:
            value = draw.choice((16.7, 33.3, 66.7))
            controller.retarget(value)
        else:
            value = draw.choice((math.inf, math.inf, 500.0, 1500.0))
            controller.max_power_mw = value
        before, row = row, controller.decide(now_s).row
        backed_off += row is None and before is not None
        events.append(struct.pack("=qdd", kind, value, now_s))
        answers.append(
            struct.pack("=ddd", -1 if row is None else row, controller.slowdown, controller.margin)
        )
    assert backed_off > 3  # the table was distrusted, and trusted again
    return b"".join(events), answers


@needs_compiler
def test_hours_of_frames_are_decided_as_python_does(tmp_path):
    table, cpus = phone_table(full_ms=8.0)
    for file, text in (c_sources("net", table, cpus, DEADLINE_MS) | governor_sources("net")).items():
        (tmp_path / file).write_text(text)
    sources = [tmp_path / file for file in ("control.c", "trust.c", f"{c_name('net')}.c")]
    flags = ["-std=c99", "-Wall", "-Werror", "-O3", "-ffp-contract=off", f"-I{tmp_path}"]
    subprocess.run([find_compiler(), *flags, PLAYER, *sources, "-o", tmp_path / "play"], check=True)
    events, answers = play(table, 8_000, seed=0)
    done = subprocess.run([tmp_path / "play"], input=events, stdout=subprocess.PIPE, check=True)
    got = [done.stdout[at : at + 24] for at in range(0, len(done.stdout), 24)]
    differ = [i for i, (c, python) in enumerate(zip(got, answers, strict=True)) if c != python]
    assert not differ, [struct.unpack("=ddd", one[differ[0]]) for one in (got, answers)]
