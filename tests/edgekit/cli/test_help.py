"""The command line's frame: sections, exit codes, one-line errors, and help for every command."""

import errno

import click
import pytest
from click.testing import CliRunner

from edgekit.cli import SECTIONS, SectionedGroup, cli
from runtime.errors import BundleError, ParityError

COMMANDS = [name for commands in SECTIONS.values() for name in commands]


def invoke(*arguments):
    return CliRunner().invoke(cli, arguments)


def test_help_lists_every_command_in_its_section():
    shown = invoke("--help")
    assert shown.exit_code == 0
    assert [line[:-1] for line in shown.output.splitlines() if line.endswith(":") and line[0] != " "] == [
        "Options",
        *SECTIONS,
    ]
    listed = [line.split()[0] for line in shown.output.splitlines() if line.startswith("  ")]
    assert [name for name in listed if name in COMMANDS] == COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name):
    shown = invoke(name, "--help")
    assert shown.exit_code == 0, shown.output
    assert shown.output.startswith(f"Usage: cli {name}")
    assert len(shown.output.split("\n\n")[1].strip()) > 20  # it says what it does


def test_unknown_command_is_a_usage_error():
    shown = invoke("trian")
    assert shown.exit_code == 2
    assert "No such command 'trian'" in shown.output


def test_version():
    assert invoke("--version").output == "edgekit, version 0.1.0\n"


@pytest.mark.parametrize(
    ("error", "exit_code", "line"),
    [
        (BundleError("damaged;\n  export it again"), 1, "Error: damaged; export it again\n"),
        (ParityError("0.1 > 0.0001"), 3, "Error: 0.1 > 0.0001\n"),
        (OSError(errno.ENOSPC, "No space left", "/tmp/x"), 1, "'/tmp/x'); make room and try again\n"),
        (ValueError("epochs is 0"), 2, "Error: epochs is 0\n"),
    ],
)
def test_errors_are_one_line_without_traceback(error, exit_code, line):
    group = SectionedGroup("edgekit")

    @group.command("models")
    def fail():
        raise error

    group.get_command = lambda ctx, name: click.Group.get_command(group, ctx, name)
    shown = CliRunner().invoke(group, ["models"])
    assert shown.exit_code == exit_code
    assert shown.stderr.endswith(line)
    assert "Traceback" not in shown.output
