import json

import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from runtime.device.soc import list_profiles


def run(*args):
    return CliRunner().invoke(cli, ["targets", *args])


def test_the_list_says_where_power_comes_from():
    lines = {line.split()[0]: line for line in run("--wide").stdout.splitlines()}
    assert lines["local"].split()[-2:] == ["none", "measured"]
    assert lines["virtual:kirin960"].endswith("device-tree coefficient             modelled")
    assert lines["virtual:rk3399"].split()[-2:] == ["measured", "modelled"]
    assert "little 4x cortex-a55 1.80" in lines["virtual:gs101"]


def test_the_list_fits_a_terminal_and_repeats_no_soc(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    shown = run()
    assert max(map(len, shown.stdout.splitlines())) <= 80
    assert "emulated:gs101" not in shown.stdout
    assert "emulated:SOC" in shown.stderr


def test_the_list_as_json():
    rows, played = json.loads(run("--json").stdout), len(list_profiles())
    assert rows[0] == {
        "name": "local", "title": rows[0]["title"], "clusters": rows[0]["clusters"], "provenance": "measured",
        "power": "none",
    }  # fmt: skip
    assert [row["provenance"] for row in rows] == ["measured", *played * ["modelled"], *played * ["emulated"]]


def test_show_prints_clocks_with_their_sources_and_what_was_left_out():
    text = run("show", "sm8150").stdout
    assert "Qualcomm SM8150 (Snapdragon 855)" in text
    rows = [line.split() for line in text.splitlines()]
    assert ["big", "2841600", "984", "1053", "1024", "measured"] in rows
    assert next(row for row in rows if row[:2] == ["big", "825600"])[5:9] == [
        "modelled:",
        "below",
        "940.8",
        "MHz",
    ]
    assert "left out: big 825.6 MHz at " in text
    assert "power of little, mid, big: net at the battery; fuel gauge: " in text
    assert "kdrag0n/freqbench@9eb16ad" in text


def test_show_prints_a_dash_for_what_is_unknown(tmp_path):
    path = tmp_path / "dark.toml"
    cluster = '[[clusters]]\nname = "big"\ncore = "cortex-a76"\ncpus = [0]\nopps = [{ freq_khz = 300000 }]\n'
    path.write_text('name = "dark"\ntitle = "t"\nboard = "b"\n' + cluster)
    rows = [line.split() for line in run("show", str(path)).stdout.splitlines()]
    assert ["big", "300000", "-", "-", "1024", "unknown"] in rows


def test_show_takes_json_local_and_a_file(tmp_path):
    assert json.loads(run("show", "gs101", "--json").stdout)["clusters"][2]["core"] == "cortex-x1"
    assert "this machine" in run("show", "local").stdout
    path = tmp_path / "mine.toml"
    path.write_text("clusters = 5")
    result = run("show", str(path))
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "mine.toml is not a SoC profile" in result.stderr


@pytest.mark.parametrize(("name", "meant"), [("sdm485", "sdm845"), ("virtual:sdm485", "virtual:sdm845")])
def test_an_unknown_soc_is_a_usage_error(name, meant):
    result = run("show", name)
    assert result.exit_code == 2
    assert f"did you mean {meant}" in result.stderr
