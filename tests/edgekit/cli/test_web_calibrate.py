"""``edgekit web calibrate`` in a real browser, with answers that are replayed."""

import json

import pytest
from click.testing import CliRunner

from edgekit.cli import cli

PAGE = "<meta name=viewport content='width=device-width'>" + "<p>words</p>" * 300


@pytest.mark.slow
def test_a_page_is_shown_at_many_rates_and_the_answers_kept(chromium, tmp_path):
    page, answers, out = (tmp_path / name for name in ("page.html", "answers", "mine.json"))
    page.write_text(PAGE)
    answers.write_text("y\n" * 28)
    command = ["web", "calibrate", page, "--answers", answers, "--duration-s", 0.4, "-o", out]
    done = CliRunner().invoke(cli, [*map(str, command), "--browser", str(chromium)])
    assert done.exit_code == 0, done.output
    assert f"scroll on {page}: " in done.output
    (rate,) = json.loads(out.read_text())["rates"]
    assert len(rate["answers"]) == 28
    assert max(rate["shown_fps"]) > 1.5 * min(rate["shown_fps"])  # however busy this machine is
    assert rate["fps"] < 15


def test_what_is_to_be_accepted_must_be_a_file_of_it(tmp_path):
    done = CliRunner().invoke(cli, ["web", "govern", "about:blank", "--accept", str(tmp_path / "none")])
    assert done.exit_code == 1
    assert "write one: edgekit web calibrate PAGE" in done.output
