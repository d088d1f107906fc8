"""The command line's frame: sections, exit codes, one-line errors, and help for every command."""

import errno
import os
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from edgekit.cli import SECTIONS, RootGroup, cli
from runtime.errors import BundleError, ParityError
from tests.places import ROOT

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
    assert invoke("--version").output == "edgekit, version 0.2.0\n"


def fail_with(error, **settings):
    group = RootGroup("edgekit", package="edgekit.cli", sections=SECTIONS)

    @group.command("models")
    def fail():
        raise error

    group.get_command = lambda ctx, name: click.Group.get_command(group, ctx, name)
    return CliRunner().invoke(group, ["models"], **settings)


@pytest.mark.parametrize(
    ("error", "exit_code", "line"),
    [
        (BundleError("damaged;\n  export it again"), 1, "Error: damaged; export it again\n"),
        (ParityError("0.1 > 0.0001"), 3, "Error: 0.1 > 0.0001\n"),
        (OSError(errno.ENOSPC, "No space left", "/tmp/x"), 1, "'/tmp/x'); make room and try again\n"),
        (FileNotFoundError(errno.ENOENT, "No such file", "/x/y"), 1, "Error: /x/y: No such file\n"),
        (OSError(errno.EXDEV, "Other disk", "a", None, "b"), 1, "Error: a -> b: Other disk\n"),
        (TimeoutError("no answer"), 1, "Error: no answer\n"),
        (ConnectionResetError(), 1, "Error: ConnectionResetError\n"),
        (
            MemoryError("no 9 GiB"),
            1,
            "Error: it does not fit into memory: no 9 GiB; give something smaller\n",
        ),
        (ValueError("epochs is 0"), 2, "Error: epochs is 0\n"),
        (ModuleNotFoundError("x", name="jinja2"), 1, f"run: pip install -e '{ROOT}[report]'\n"),
        (
            ModuleNotFoundError("x", name="odd"),
            1,
            "needs, is missing: see edgekit doctor\n",
        ),
        (ImportError("no lib.so", name="torch._C"), 1, "Error: no lib.so; a package is damaged or too old: "),
        (KeyboardInterrupt(), 1, "Aborted!\n"),
    ],
)
def test_errors_are_one_line_without_traceback(error, exit_code, line):
    shown = fail_with(error)
    assert shown.exit_code == exit_code
    assert line in shown.stderr
    assert len(shown.stderr.strip().splitlines()) <= 3  # a usage error is shown with the usage
    assert "Traceback" not in shown.output


def test_an_import_of_ours_that_fails_is_a_bug_and_shows_where():
    with pytest.raises(ModuleNotFoundError, match="runtime"):
        fail_with(ModuleNotFoundError("no runtime.nothing", name="runtime.nothing"), catch_exceptions=False)


def test_a_reader_that_went_away_is_no_error():
    reads, writes = os.pipe()
    os.close(reads)  # as `| head` does once it has enough
    done = subprocess.run(
        [sys.executable, "-m", "edgekit", "targets", "show", "gs101"],
        cwd=ROOT, stdout=writes, stderr=subprocess.PIPE, text=True, timeout=60,
    )  # fmt: skip
    os.close(writes)
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("command", "registry"),
    [("train", "pruning:METHODS"), ("prune", "pruning:METHODS"), ("train", "training:TECHNIQUES")],
)
def test_help_lists_all_that_is_registered_within_80_columns(command, registry):
    import importlib

    module, name = registry.split(":")
    names = getattr(importlib.import_module(f"edgekit.{module}"), name)
    shown = CliRunner().invoke(cli, [command, "--help"], terminal_width=80).output
    assert f"Oneof:{','.join(names)}." in "".join(shown.split())  # lines break behind hyphens, too
    assert max(map(len, shown.splitlines())) <= 80
