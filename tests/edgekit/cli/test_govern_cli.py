"""``edgekit govern``: what it takes and refuses; what it does is tested in tests/runtime/govern/governor."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from edgekit.cli._govern import split_words
from edgekit.cli.govern import govern as command
from runtime.govern.governor import GovernOptions


def govern(*arguments):
    return CliRunner().invoke(cli, ["govern", *arguments])


def test_a_bundle_and_a_command_are_distinguished(tmp_path):
    assert split_words(("m.edgekit", "python", "x.py")) == (Path("m.edgekit"), ("python", "x.py"))
    assert split_words((str(tmp_path),)) == (tmp_path, ())
    assert split_words(("python", "m.edgekit")) == (None, ("python", "m.edgekit"))


def test_without_anything_to_run_it_says_what_to_give():
    shown = govern()
    assert shown.exit_code == 2
    assert "give a bundle, or a command after --" in shown.stderr


def test_a_modelled_phone_is_refused_with_what_to_do_instead():
    shown = govern("--target", "virtual:gs101", "--", "true")
    assert shown.exit_code == 1
    assert "play it with emulated:gs101" in shown.stderr


def test_options_out_of_range_are_usage_errors():
    assert govern("--fps", "0", "--", "true").exit_code == 2
    assert govern("--late", "much", "--", "true").exit_code == 2


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--max-queued", "1"], "--max-queued and --miss-penalty need --variable-load"),
        (["--variable-load", "--late", "1%", "--miss-penalty", "2"], "give one of them"),
        (["--variable-load", "--max-queued", "9"], "max_queued is 9; it must be from 0 to 3"),
        (["--variable-load", "--miss-penalty", "0"], "miss_penalty is 0.0; it must be from 0.01"),
        (["--target", "ssh:nobody@nowhere.invalid", "--max-queued", "1"], "need --variable-load"),
    ],
)
def test_options_of_variable_load_are_checked_before_anything_runs(words, why):
    shown = govern(*words, "--", "true")
    assert shown.exit_code == 2
    assert why in shown.stderr


def test_old_names_of_options_work_and_name_the_new_ones():
    shown = govern("--scenes", "--waiting=9", "--late-price", "3", "--", "true", "--scenes")
    assert shown.exit_code == 2
    notes = ["--scenes is now called --variable-load", "--waiting is now called --max-queued"]
    assert shown.stderr.splitlines()[:3] == [*notes, "--late-price is now called --miss-penalty"]
    assert "max_queued is 9" in shown.stderr
    assert not any(old in govern("--help").output for old in ("--scenes", "--waiting", "--late-price"))


def test_options_become_the_command_line_that_asks_for_them():
    asked = GovernOptions(
        target="ssh:pi@board", fps=30.0, late=0.02, max_temp_c=70.0, frames=9, log=Path("a log"), meter="none"
    )
    variable = GovernOptions(variable_load=True, max_queued=1, miss_penalty=3.0, socket=Path("/run/x"))
    for options in (asked, variable):
        _, *words = options.command_line("m.edgekit", ["run", "--fps", "5"], ["--json"])
        found = command.make_context("govern", list(words)).params
        assert (found.pop("words"), found.pop("as_json")) == (("m.edgekit", "run", "--fps", "5"), True)
        assert not found.pop("serve")
        assert GovernOptions(**found) == options


def test_a_bundle_that_is_not_there(tmp_path):
    shown = govern(str(tmp_path / "no.edgekit"), "--", "true")
    assert shown.exit_code == 1
    assert "no.edgekit" in shown.stderr
