"""A governed run over time: what the picture shows of the log, in files and in the report."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from edgekit.report import render_report, write_timeline
from edgekit.report.timeline_figure import summary
from edgekit.report.units import joules
from runtime.errors import DataError
from runtime.measure.frame_log import FrameLine, GovernedLog, Header
from tests.edgekit.report.markup import EVIL, drawn
from tests.edgekit.report.tuned_bundle import TARGET

HEADER = Header("emulated:gs101", "emulated", 20.0, 50.0, energy_source="a table")


def frame(number, latency_ms=30.0, cluster="mid", khz=1_663_000, power_mw=200.0, **others):
    energy_mj = None if power_mw is None else power_mw * latency_ms / 1000
    late = latency_ms > HEADER.period_ms
    line = FrameLine(number / 20.0, latency_ms, late, cluster, khz, power_mw, energy_mj, trusted=True)
    return replace(line, **others)


FRAMES = [
    *(frame(n) for n in range(40)),
    frame(40, 60.0, reason="late: dearer row"),
    *(frame(n, 15.0, "big", 2_048_000, 700.0) for n in range(41, 80)),
    *(frame(n, 20.0, "big", None, trusted=False) for n in range(80, 100)),
]


@pytest.fixture
def log(tmp_path):
    """Return a function that writes a log of ``frames``."""

    def write(frames=FRAMES, header=HEADER):
        with GovernedLog(tmp_path / "run.jsonl", header) as opened:
            for line in frames:
                opened.write(line)
        return tmp_path / "run.jsonl"

    return write


def classes(path):
    """Return the classes of the picture's elements."""
    root = ET.fromstring(path.read_text(encoding="utf-8"))
    return [element.get("class", "") for element in root.iter()]


def test_summary_by_hand():
    # 40 x 6 mJ, 60 ms at 200 mW, 39 x 10.5 mJ, 20 x 4 mJ: 741.5 mJ in 100 periods of 50 ms.
    assert summary(HEADER, FRAMES) == (
        "100 frames at 20 FPS, 1 late (1.0 %); 20 ms median, 30 ms at 95 %; "
        f"{joules(741.5)}, 148 mW on average."
    )


def test_energy_that_is_not_known_is_said(tmp_path):
    dark = [replace(line, power_mw=None, energy_mj=None) for line in FRAMES]
    assert summary(HEADER, dark).endswith("energy is not known.")
    _, texts = drawn(write_timeline(HEADER, dark, tmp_path / "run.svg"))
    assert "no power is known here" in texts
    assert summary(HEADER, [*dark[:50], *FRAMES[50:]]).count("energy of 50 frames is known") == 1


def test_every_frame_every_miss_every_clock_and_what_was_not_trusted_is_drawn(tmp_path):
    found = classes(write_timeline(HEADER, FRAMES, tmp_path / "run.svg"))
    assert sum(name.startswith("dot ") for name in found) == 99
    assert found.count("late") == 1 + 1  # one in the legend
    assert sum(name.startswith("clock ") for name in found) == 2  # the kernel's own clock is no line
    assert found.count("untrusted") == 1 + 1
    assert found.count("step") == 1


def test_picture_names_the_run_and_its_decisions(tmp_path):
    _, texts = drawn(write_timeline(HEADER, FRAMES, tmp_path / "run.svg"))
    text = " ".join(texts)
    for part in (
        "edgekit on emulated:gs101 (emulated)",
        "2.0 s: late: dearer row",
        "Power: a table",
        "mid",
        "big",
    ):
        assert part in text


def test_time_counts_from_the_first_frame(tmp_path):
    """What was set up before is no part of the picture, nor of the mean power."""
    late_start = [replace(line, start_s=line.start_s + 300.0) for line in FRAMES]
    assert summary(HEADER, late_start) == summary(HEADER, FRAMES)
    pictures = [write_timeline(HEADER, run, tmp_path / "run.svg").read_text() for run in (FRAMES, late_start)]
    assert pictures[0] == pictures[1]


def test_of_very_many_frames_the_extremes_stay(tmp_path):
    many = [replace(frame(0), start_s=n / 20.0, latency_ms=30.0 + n % 7) for n in range(20_000)]
    found = classes(write_timeline(HEADER, many, tmp_path / "run.svg"))
    assert 1000 < sum(name.startswith("dot ") for name in found) < 4000


def test_short_and_clockless_runs_are_drawn(tmp_path):
    _, texts = drawn(write_timeline(HEADER, [frame(0, khz=None)], tmp_path / "run.svg"))
    assert "the kernel chose the clock" in texts
    with pytest.raises(ValueError, match="no frame; govern for longer"):
        write_timeline(HEADER, [], tmp_path / "run.svg")


def test_texts_of_a_log_stay_text(tmp_path):
    evil = [replace(line, cluster=EVIL, reason=EVIL) for line in FRAMES]
    header = replace(HEADER, target=EVIL, policy=EVIL, energy_source=EVIL)
    tags, _ = drawn(write_timeline(header, evil, tmp_path / "run.svg"))
    assert "script" not in tags


def test_report_shows_a_governed_run(tuned, log):
    page = render_report(tuned, timelines=[log()])
    assert "Governed on emulated:gs101" in page
    assert "1 late (1.0 %)" in page
    assert page.count('class="late"') == 2 + 1  # for wide and narrow screens, and in the legend
    with pytest.raises(DataError, match="no log of a governed run"):
        render_report(tuned, timelines=[tuned.path / "manifest.json"])


def invoke(*words):
    return CliRunner().invoke(cli, [str(word) for word in words])


def test_plot_draws_a_log_and_a_bundle(tuned, log, tmp_path):
    shown = invoke("plot", log(), "-o", tmp_path / "a.svg")
    assert (shown.exit_code, shown.stdout) == (0, f"{tmp_path / 'a.svg'}\n"), shown.output
    assert invoke("plot", tuned.path, "--target", TARGET, "-o", tmp_path / "b.svg").exit_code == 0
    assert "30 FPS asked" in (tmp_path / "b.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("source", "exit_code", "message"),
    [("nothing.jsonl", 1, "there is no"), (".", 1, "manifest"), ("other.txt", 1, "no log of a governed run")],
)
def test_plot_of_something_else_says_what_is_wanted(tmp_path, source, exit_code, message):
    (tmp_path / "other.txt").write_text("hello\n")
    shown = invoke("plot", tmp_path / source, "-o", tmp_path / "a.svg")
    assert shown.exit_code == exit_code
    assert message in shown.output
