"""``edgekit govern``: what it takes and refuses; what it does is tested in tests/runtime/govern/governor."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from edgekit.cli._govern import split_words


def govern(*arguments):
    return CliRunner().invoke(cli, ["govern", *arguments])


def test_a_bundle_and_a_command_are_told_apart(tmp_path):
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
        (["--waiting", "1"], "--waiting and --late-price need --scenes"),
        (["--scenes", "--late", "1%"], "--late-price says how bad a late frame is"),
        (["--scenes", "--waiting", "9"], "waiting is 9; it must be from 0 to 3"),
        (["--scenes", "--late-price", "0"], "late_price is 0.0; it must be from 0.01"),
        (["--target", "ssh:nobody@nowhere.invalid", "--waiting", "1"], "need --scenes"),
    ],
)
def test_options_of_scenes_are_checked_before_anything_runs(words, why):
    shown = govern(*words, "--", "true")
    assert shown.exit_code == 2
    assert why in shown.stderr


def test_a_bundle_that_is_not_there(tmp_path):
    shown = govern(str(tmp_path / "no.edgekit"), "--", "true")
    assert shown.exit_code == 1
    assert "no.edgekit" in shown.stderr
