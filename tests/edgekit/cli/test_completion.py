"""Completion scripts of the three shells, and what they complete to."""

import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from edgekit.cli import SECTIONS, cli


@pytest.mark.parametrize(
    ("shell", "word"), [("bash", "complete -o"), ("zsh", "compdef"), ("fish", "complete --no-files")]
)
def test_script_of_each_shell_calls_edgekit(shell, word):
    shown = CliRunner().invoke(cli, ["completion", shell])
    assert shown.exit_code == 0
    assert f"_EDGEKIT_COMPLETE={shell}_complete" in shown.output
    assert word in shown.output


def test_unknown_shell_names_the_known_ones():
    shown = CliRunner().invoke(cli, ["completion", "tcsh"])
    assert shown.exit_code == 2
    assert "'bash', 'zsh', 'fish'" in shown.output


def complete(words, position):
    asked = {"COMP_WORDS": words, "COMP_CWORD": str(position), "_EDGEKIT_COMPLETE": "bash_complete"}
    program = [sys.executable, "-m", "edgekit"]
    done = subprocess.run(program, env=os.environ | asked, capture_output=True, text=True, check=False)
    return [line.removeprefix("plain,") for line in done.stdout.splitlines()]


def test_commands_and_options_are_completed():
    assert complete("edgekit ", 1) == [name for commands in SECTIONS.values() for name in commands]
    assert complete("edgekit re", 1) == ["records", "restore", "report"]
    assert complete("edgekit doctor --j", 2) == ["--json"]
