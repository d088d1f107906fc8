"""Tables fit the terminal: nothing is too long, and what is left out is said and to be had."""

import re
import sys
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from edgekit.api.table import lay_out, wrap
from edgekit.cli import SECTIONS, LazyGroup, cli
from tests.runtime.tflite_builder import write_doubling_conv

HEADERS = ["model", "median ms", "energy from", "why it is what it is", "sha256", "verdict"]
_TEXT = st.text(st.characters(codec="ascii", categories=("L", "N", "P", "S", "Zs")), max_size=120)
_CELL = st.one_of(st.none(), st.floats(allow_nan=False), st.integers(-(10**12), 10**12), _TEXT)
_ROWS = st.lists(st.tuples(*[_CELL] * len(HEADERS)), max_size=6)


@given(_ROWS, st.sampled_from([40, 80, 100]), st.sets(st.sampled_from(HEADERS)))
def test_no_line_is_longer_than_the_terminal_whatever_the_cells(rows, width, optional):
    layout = lay_out(HEADERS, rows, width, sorted(optional))
    assert all(len(line) <= width for line in layout.lines)
    assert {*layout.hidden, *(header for header, _ in layout.same)} <= optional


@given(_ROWS, st.sampled_from([40, 80]))
def test_no_character_of_a_cell_is_lost_by_wrapping(rows, width):
    narrow, wide = (Counter("".join(lay_out(HEADERS, rows, w).lines)) for w in (width, None))
    for counts in (narrow, wide):  # these draw the table
        del counts[" "], counts["-"]
    assert rows == [] or wide <= narrow  # a list of rows repeats the headers


@given(_ROWS)
def test_wide_has_every_cell_whole_on_one_line(rows):
    layout = lay_out(HEADERS, rows, None, HEADERS)
    assert (layout.hidden, layout.same) == ([], [])
    assert len(layout.lines) == len(rows) + 2
    for row, line in zip(rows, layout.lines[2:], strict=True):
        assert all(" ".join(cell.split()) in line for cell in row if isinstance(cell, str))


def test_a_table_that_fits_is_left_as_it_is():
    layout = lay_out(["what", "ms"], [("a", 1.5), ("b", None)], 80, ["ms"])
    assert layout.lines == ["what   ms", "----  ---", "a     1.5", "b       -"]


def test_the_least_important_column_goes_first_and_one_that_is_all_the_same_before_it():
    headers = ["setting", "latency", "IQR", "p90", "verdict"]
    rows = [("x" * 30, "modelled", 0.1, 0.2, "stable"), ("y" * 30, "modelled", 0.3, 0.4, "unstable")]
    layout = lay_out(headers, rows, 45, ["IQR", "p90", "latency"])
    assert (layout.same, layout.hidden) == ([("latency", "modelled")], [])
    layout = lay_out(headers, rows, 43, ["IQR", "p90", "latency"])
    assert (layout.same, layout.hidden) == ([("latency", "modelled")], ["IQR"])


def test_long_cells_wrap_at_words_and_long_words_after_a_mark():
    assert wrap("it is too hot to go on", 14) == ["it is too hot", "to go on"]
    assert wrap("in runs/of/a/name/model.tflite", 14) == ["in", "runs/of/a/", "name/model.", "tflite"]


def test_a_list_in_a_cell_has_a_line_per_item():
    lines = lay_out(["soc", "clusters"], [("gs101", ("little", "big"))], 80).lines
    assert lines[2:] == ["gs101  little", "       big"]


def test_a_cell_cannot_move_the_cursor():
    assert "\x1b" not in "".join(lay_out(["class"], [("\x1b[2Jcat\r",)], 80).lines)


@pytest.mark.parametrize("name", [name for names in SECTIONS.values() for name in names])
def test_every_help_fits_80_columns(name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    command = cli.get_command(None, name)
    for words in [[name], *([name, sub] for sub in getattr(command, "commands", ()))]:
        shown = CliRunner().invoke(cli, [*words, "--help"], terminal_width=80)
        assert [line for line in shown.output.splitlines() if len(line) > 80] == []


def modules(group=cli):
    """Return the module of each command, those of lazy groups below it included."""
    found = []
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        is_lazy = isinstance(command, LazyGroup)
        found += modules(command) if is_lazy else [f"{group.package}.{name}"]
    return found


@pytest.mark.parametrize("module", modules())
def test_a_command_that_prints_a_table_takes_wide(module):
    folder = Path(sys.modules["edgekit.cli"].__file__).parents[2]
    source = Path(sys.modules[module].__file__).read_text()
    helpers = re.findall(r"from (edgekit\.cli\.(?:web\.)?_[a-z_]+) import", source)
    paths = [
        folder / f"{helper.replace('.', '/')}.py" for helper in helpers if not helper.endswith("_output")
    ]
    texts = [source, *(path.read_text() for path in paths)]
    command = getattr(sys.modules[module], module.rpartition(".")[2])
    commands = [command, *getattr(command, "commands", {}).values()]
    takes_wide = any(option.name == "wide" for one in commands for option in one.params)
    assert takes_wide == any("print_table(" in text for text in texts)


def test_a_model_file_has_no_date_of_its_own(tmp_path):
    tflite = write_doubling_conv(tmp_path / "double.tflite")
    shown = CliRunner().invoke(cli, ["inspect", str(tflite)]).stdout
    assert shown.splitlines()[0] == "double.tflite"
    assert "max error" not in shown  # nor was it compared with anything
