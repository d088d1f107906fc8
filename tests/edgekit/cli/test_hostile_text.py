"""What files and devices call themselves reaches no terminal as it is, and forges no line of ours."""

import msgspec
import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from edgekit.cli._output import note, print_json, print_table, say
from runtime.bundle.manifest import MANIFEST
from runtime.visible import one_line, visible
from tests.runtime.phone import make_bundle

EVIL = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202egnp\u2066\r\x00\nError: forged"
OBEYED = ("\x1b", "\x07", "\x9b", "\u202e", "\u2066", "\r", "\x00")


def test_control_and_bidi_characters_are_shown_as_what_they_are():
    assert visible("a\x1b[0m\x9b\u202e\U000e0001\u00e9\nb") == "a\\x1b[0m\\x9b\\u202e\\U000e0001\u00e9\nb"
    assert one_line("a\n\tb\rc") == "a b c"


@pytest.mark.parametrize("show", [say, note, lambda text: print_table(["name"], [(text,), ("b",)])])
def test_every_way_to_print_shows_them(show, capsys):
    show(EVIL)
    printed = "".join(capsys.readouterr())
    assert not any(char in printed for char in OBEYED)
    assert "\\x1b[2J" in printed


def test_a_bundle_that_names_itself_in_escapes_forges_no_line(tmp_path):
    bundle = make_bundle(tmp_path, labels=(EVIL.replace("\n", " "), "dog", "owl"))
    path = bundle.path / MANIFEST
    manifest = msgspec.json.decode(path.read_bytes())
    graph = manifest["graphs"].pop("forward")
    graph["inputs"][0]["name"] = EVIL
    manifest["graphs"] |= {EVIL: graph, "other": graph}
    manifest["name"] = manifest["created_utc"] = EVIL
    manifest["source"] = {EVIL: EVIL}
    for variant in manifest["variants"]:
        variant["graph"] = EVIL
        variant["quantization"] = {"calibration": EVIL, "n_calibration": 1}
    path.write_bytes(msgspec.json.encode(manifest))
    done = CliRunner().invoke(cli, ["inspect", str(bundle.path)])
    assert done.exit_code == 0
    assert not any(char in done.output for char in OBEYED)
    assert not any(line.startswith("Error") for line in done.output.splitlines())
    assert "\\x1b[2J" in done.stdout


def test_an_error_about_hostile_words_is_one_line_that_shows_them(tmp_path):
    (tmp_path / "soc.toml").write_text('name = "\\u001b[2J\\nError: forged"\nboard = 5\n')
    done = CliRunner().invoke(cli, ["targets", "show", f"{tmp_path}/soc.toml"])
    assert done.exit_code != 0
    odd = CliRunner().invoke(cli, ["inspect", f"{tmp_path}/{EVIL[:-1]}".replace("\x00", "")])
    assert odd.exit_code != 0
    for printed in (done.output, odd.output):
        assert not any(char in printed for char in OBEYED)
        assert sum(line.startswith("Error") for line in printed.splitlines()) == 1


def test_json_says_the_same_without_what_a_terminal_obeys(capsys):
    print_json({"name": EVIL + "\U000e0001é"})
    printed = capsys.readouterr().out
    assert not any(char in printed for char in (*OBEYED, "\U000e0001"))
    assert "é" in printed
    assert msgspec.json.decode(printed) == {"name": EVIL + "\U000e0001é"}
