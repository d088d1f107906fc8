"""`edgekit tune --emit c`: what a user gets, and can build as the command says."""

import subprocess

from click.testing import CliRunner

from edgekit.cli import cli
from tests.runtime.govern.compiled.compiled import needs_make
from tests.runtime.phone import make_bundle

TARGET = "virtual:gs101"


def invoke(*arguments):
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@needs_make
def test_a_tuned_bundle_becomes_a_governor_by_the_command_that_is_shown(tmp_path):
    bundle = make_bundle(tmp_path).path
    assert invoke("bench", bundle, "--target", TARGET).exit_code == 0
    shown = invoke("tune", bundle, "--target", TARGET, "--fps", "60", "--emit", "c")
    assert shown.exit_code == 0, shown.output
    assert "edgekit_toy.h, edgekit_toy.c (43 rows)" in shown.stderr
    command = next(line for line in shown.stderr.splitlines() if line.startswith("Build")).split(": ")[1]
    subprocess.run(command.partition(";")[0].split(), check=True, capture_output=True)
    about = subprocess.run(
        [tmp_path / "toy-c/edgekit-governor", "--about"], capture_output=True, text=True, check=True
    )
    assert "Made for: 60 FPS, a frame in 16.6667 ms; awake" in about.stdout

    again = invoke(
        "tune", bundle, "--target", TARGET, "--emit", "c", "--output", tmp_path / "toy-c", "--json"
    )
    assert again.exit_code == 0
    assert again.stdout.startswith("{")
    assert "DEADLINE_MS 0x1.0aaaaaaaaaaabp+5 /* 33.3333 ms" in (tmp_path / "toy-c/edgekit_toy.h").read_text()


def test_an_output_without_emit_is_refused(tmp_path):
    bundle = make_bundle(tmp_path).path
    invoke("bench", bundle, "--target", TARGET)
    shown = invoke("tune", bundle, "--target", TARGET, "--output", tmp_path / "c")
    assert (shown.exit_code, shown.stderr.splitlines()[-1]) == (2, "Error: --output needs --emit c")


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    bundle = make_bundle(tmp_path).path
    invoke("bench", bundle, "--target", TARGET)
    (tmp_path / "file").write_text("in the way")
    shown = invoke("tune", bundle, "--target", TARGET, "--emit", "c", "--output", tmp_path / "file")
    assert shown.exit_code == 1
    assert f"{tmp_path / 'file'} cannot be written" in shown.stderr
