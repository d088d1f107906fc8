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
FRAME, DEADLINE, CAP, BEGIN, CHANGE = range(5)


class Recorded:
    """A controller in Python whose every event is noted, with what it decides and believes after it."""

    def __init__(self, table):
        self.controller = Controller(table, DEADLINE_MS)
        self.table, self.now_s = table, 0.0
        self.row = self.controller.decide(0.0).row
        self.events, self.answers = [], []
        self.parts, self.remaining_ms = [], None

    def note(self, kind, value):
        controller = self.controller
        slowdown = controller.slowdown
        row = -1 if self.row is None else self.row
        next_ms = math.inf if self.row is None else controller.next_ms
        figures = (row, next_ms, slowdown.upper, slowdown.spread, *slowdown.of_cluster)
        self.events.append(struct.pack("=qdd", kind, value, self.now_s))
        self.answers.append(struct.pack(f"={len(figures)}d", *figures))

    def begin(self, remaining_ms):
        self.remaining_ms = remaining_ms
        self.row = self.controller.begin(remaining_ms, self.now_s).row
        self.note(BEGIN, remaining_ms)

    def change(self):
        after_ms = self.controller.next_ms
        self.parts.append((self.row, after_ms))
        self.row = self.controller.change().row
        self.note(CHANGE, after_ms)

    def frame(self, latency_ms):
        limit_ms = self.controller.deadline_ms if self.remaining_ms is None else self.remaining_ms
        before_ms = sum(ms for _, ms in self.parts)
        parts = [*self.parts, (self.row, max(latency_ms - before_ms, 0.0))]
        self.controller.learn(parts, latency_ms > limit_ms, self.now_s)
        self.parts, self.remaining_ms = [], None
        self.row = self.controller.decide(self.now_s).row
        self.note(FRAME, latency_ms)

    def retarget(self, deadline_ms):
        self.controller.retarget(deadline_ms)
        self.row = self.controller.decide(self.now_s).row
        self.note(DEADLINE, deadline_ms)

    def cap(self, power_mw):
        self.controller.max_power_mw = power_mw
        self.row = self.controller.decide(self.now_s).row
        self.note(CAP, power_mw)


def play(table, steps, seed):
    """Return a device that is slow and quick by turns, and a program that says when frames begin by turns."""
    draw, one, backed_off, shared = random.Random(seed), Recorded(table), 0, 0
    for step in range(steps):
        one.now_s += draw.choice((0.0, 0.033, 0.033, 0.5))
        if step % 50 == 0:
            level, odd = draw.choice((0.7, 1.0, 1.2, 2.0)), draw.choice((0.0, 0.02, 0.4))
            begins = draw.random() < 0.7
        kind = draw.choices((FRAME, DEADLINE, CAP), (60, 1, 1))[0]
        before = one.row
        if kind == FRAME:
            if begins:
                deadline_ms = one.controller.deadline_ms
                one.begin(
                    deadline_ms * draw.choice((1.0, 1.0, draw.uniform(0.97, 1.0), draw.uniform(-0.2, 1)))
                )
                if draw.random() < 0.02:
                    one.cap(draw.choice((math.inf, 1500.0)))
            work = level * draw.lognormvariate(0, 0.05) * (4 if draw.random() < odd else 1)
            latency_ms = one.table.rows[-1 if one.row is None else one.row].latency_ms * work
            if one.controller.next_ms < latency_ms and one.row is not None:
                shared += 1
                done = one.controller.next_ms / latency_ms
                one.change()
                latency_ms = one.parts[-1][1] + (1 - done) * work * one.table.rows[one.row].latency_ms
            one.frame(latency_ms)
        elif kind == DEADLINE:
            one.retarget(draw.choice((16.7, 33.3, 66.7)))
        else:
            one.cap(draw.choice((math.inf, math.inf, 500.0, 1500.0)))
        backed_off += one.row is None and before is not None
    assert backed_off > 3  # the table was distrusted, and trusted again
    assert shared > steps / 50
    return one


@needs_compiler
def test_hours_of_frames_are_decided_as_python_does(tmp_path):
    table, cpus = phone_table(full_ms=8.0)
    for file, text in (c_sources("net", table, cpus, DEADLINE_MS) | governor_sources("net")).items():
        (tmp_path / file).write_text(text)
    sources = ("control.c", "slowdown.c", "outlook.c", "trust.c", f"{c_name('net')}.c")
    flags = ["-std=c99", "-Wall", "-Werror", "-O3", "-ffp-contract=off", f"-I{tmp_path}"]
    paths = [tmp_path / file for file in sources]
    subprocess.run([find_compiler(), *flags, PLAYER, *paths, "-o", tmp_path / "play"], check=True)
    one = play(table, 8_000, seed=0)
    done = subprocess.run([tmp_path / "play"], input=b"".join(one.events), stdout=subprocess.PIPE, check=True)
    size = len(one.answers[0])
    got = [done.stdout[at : at + size] for at in range(0, len(done.stdout), size)]
    differ = [i for i, (c, python) in enumerate(zip(got, one.answers, strict=True)) if c != python]
    assert not differ, (
        differ[0],
        [struct.unpack(f"={size // 8}d", a[differ[0]]) for a in (got, one.answers)],
    )
