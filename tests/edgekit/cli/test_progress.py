"""Whoever waits is told for what, on stderr, and nothing of it stays in the way."""

import io
import json

import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from edgekit.cli._progress import Steps
from edgekit.cli._rows import BlockSteps
from runtime.device.conditions import Conditions
from runtime.measure.bench.cool_down import wait_until_cool
from tests.runtime.measure.toy_records import blocks_of
from tests.runtime.tflite_builder import write_doubling_conv

CLEAR = "\r\x1b[K"


class Stream(io.StringIO):
    def __init__(self, is_terminal):
        super().__init__()
        self.is_terminal = is_terminal

    def isatty(self):
        return self.is_terminal


class Clock:
    now_s = 100.0

    def __call__(self):
        return self.now_s


def steps_on(is_terminal, kind=Steps, **given):
    stream, clock = Stream(is_terminal), Clock()
    # Not entered: the test is the clock that looks at it every half second.
    return kind(stream=stream, now=clock, **given), stream, clock


def test_a_terminal_has_one_line_that_is_rewritten_with_seconds_and_cleared():
    steps, stream, clock = steps_on(True)
    steps("lowering")
    clock.now_s += 1.5
    steps.show()
    assert stream.getvalue() == ""  # nobody waits for two seconds yet
    clock.now_s += 1.0
    steps.show()
    assert stream.getvalue() == f"{CLEAR}[2 s] lowering"
    clock.now_s += 3.0
    steps("comparing")
    assert stream.getvalue().endswith(f"{CLEAR}[0 s] comparing")
    steps.make_room()
    assert stream.getvalue().endswith(CLEAR)
    assert "\n" not in stream.getvalue()


def test_a_line_on_a_terminal_never_wraps(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    steps, stream, clock = steps_on(True)
    clock.now_s += 5
    steps("x" * 200)
    assert len(stream.getvalue().removeprefix(CLEAR)) == 39


def test_a_log_has_a_line_per_step_with_the_seconds_since_the_start():
    steps, stream, clock = steps_on(False)
    steps("lowering")
    clock.now_s += 7
    steps.show()
    steps("comparing")
    assert stream.getvalue() == "[0 s] lowering\n[7 s] comparing\n"


def test_a_log_has_short_waits_only_when_they_are_long():
    steps, stream, clock = steps_on(False)
    steps.wait_for("opening")
    clock.now_s += 1
    steps.show()
    steps.wait_for("reading")
    clock.now_s += 2
    steps.show()
    clock.now_s += 2
    steps.show()
    assert stream.getvalue() == "[3 s] reading\n"


@pytest.mark.parametrize("is_terminal", [True, False])
def test_quiet_says_nothing(is_terminal):
    steps, stream, clock = steps_on(is_terminal, is_quiet=True)
    steps("lowering")
    clock.now_s += 9
    steps.show()
    steps.done("done")
    assert stream.getvalue() == ""


def test_leaving_clears_the_line_even_when_it_fails():
    steps, stream, clock = steps_on(True)
    clock.now_s += 9
    steps("lowering")
    with pytest.raises(KeyboardInterrupt), steps:
        raise KeyboardInterrupt
    assert stream.getvalue().endswith(CLEAR)


def test_blocks_say_how_long_the_others_will_take_and_whether_they_are_believed():
    record = blocks_of(10.0, n=1, verdict="unstable", reasons=("hot",))[0]
    steps, stream, clock = steps_on(True, BlockSteps)
    steps.begins("block 1 of 4: x")
    clock.now_s += 10
    steps.ended(1, 4, record)
    steps.begins("block 2 of 4: x")
    assert stream.getvalue().endswith(f"{CLEAR}[0 s] about 30 s left, block 2 of 4: x")
    steps, stream, clock = steps_on(False, BlockSteps)
    steps.begins("block 1 of 4: x")
    steps.ended(1, 4, record)
    assert stream.getvalue().startswith("[0 s] 1/4 litert-fp32 big @ 2000 MHz x1: ")
    assert stream.getvalue().endswith("10 ms (unstable: hot)\n")


def test_a_hot_machine_says_what_it_waits_for(monkeypatch):
    monkeypatch.setattr("time.sleep", lambda duration_s: None)
    temps_c, said = iter([50.0, 45.0, 39.0]), []

    class Session:
        def conditions(self):
            return Conditions(time_s=0.0, temp_c=next(temps_c))

    assert wait_until_cool(Session(), 40.0, 60.0, said.append) == 2.0
    assert said == ["waiting, 60 s at most, to cool from 50 to 40 C"]


def test_stdout_and_json_are_clean_of_progress(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tflite = str(write_doubling_conv(tmp_path / "double.tflite"))
    shown = CliRunner().invoke(cli, ["bench", tflite, "--runs", "3", "--blocks", "1", "--json"])
    assert len(json.loads(shown.stdout)) == 1
    assert "1/1 litert-fp32" in shown.stderr
    shown = CliRunner().invoke(
        cli, ["bench", tflite, "--runs", "3", "--blocks", "1", "--quiet", "--seed", "1"]
    )
    assert "1/1" not in shown.stderr
    assert "records: " in shown.stderr  # what one must know is not progress
