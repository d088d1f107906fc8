"""``edgekit web corpus``, ``stress`` and ``features`` as a user runs them."""

import json

import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from runtime.web.pages.corpus import index
from tests.benchmarks.web.corpus_index import as_lines
from tests.runtime.web.pages.corpus.toy_archive import index_of, write_archive


def invoke(*arguments):
    return CliRunner().invoke(cli, ["web", *map(str, arguments)])


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """edgekit's index names a toy site only, whose archive is in the folder returned."""
    folder = tmp_path / "archives"
    folder.mkdir()
    archive = write_archive(folder)
    (tmp_path / "index.json").write_bytes(as_lines(index_of(archive)))
    monkeypatch.setattr(index, "INDEX", tmp_path / "index.json")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


def test_pages_are_fetched_once_and_listed(toy):
    first = invoke("corpus", "fetch", "--from", toy)
    assert first.exit_code == 0, first.output
    assert "fetched" in first.output
    assert "here" in invoke("corpus", "fetch").output
    listed = invoke("corpus", "list")
    assert "toy/sub/b" in listed.output
    assert "2 pages of 1 families" in listed.output
    assert [page["name"] for page in json.loads(invoke("corpus", "list", "--json").stdout)] == [
        "toy/a",
        "toy/sub/b",
    ]


def test_a_source_that_cannot_be_fetched_is_exit_1_with_what_to_do(toy, tmp_path):
    (tmp_path / "empty").mkdir()
    shown = invoke("corpus", "fetch", "--from", tmp_path / "empty")
    assert shown.exit_code == 1
    assert "failed" in shown.stdout
    assert "put toy-site-1.0.0.tgz there, or leave out --from" in shown.stderr


def test_nothing_fetched_yet_is_one_line(toy):
    shown = invoke("corpus", "list")
    assert shown.exit_code == 1
    assert shown.stderr.startswith("Error: no page is in")
    assert "edgekit web corpus fetch" in shown.stderr


def test_own_pages_are_added_and_checked(chromium, toy, tmp_path):
    page = tmp_path / "long.html"
    page.write_text("<!doctype html><meta name='viewport' content='width=device-width'>" + "<p>x</p>" * 200)
    assert "own/" in invoke("corpus", "add", page).output
    assert invoke("corpus", "add").exit_code == 2
    shown = invoke("corpus", "check", "own/*")
    assert shown.exit_code == 0, shown.output
    assert "1 of 1 pages are fit to measure" in shown.output


def test_stress_pages_are_written(tmp_path):
    shown = invoke("stress", tmp_path / "out", "--kind", "blur", "--strength", 3)
    assert shown.exit_code == 0, shown.output
    assert (tmp_path / "out" / "blur-3.html").is_file()
    assert invoke("stress", tmp_path / "out", "--kind", "x").exit_code == 2


def test_features_of_a_saved_page_are_printed_within_a_budget(chromium, tmp_path):
    page = tmp_path / "a.html"
    page.write_text("<!doctype html><p class='a'>1</p><div style='height:9000px'></div>")
    shown = invoke("features", page, "--json", "--probe-ms", "80")
    assert shown.exit_code == 0, shown.output
    found = json.loads(shown.stdout)
    assert found["values"]["dom_tag_p"] == 1
    assert "probe" in found["left_out"]
    assert "probe is expected to take" in shown.stderr


@pytest.mark.parametrize("place", ["none.html", "http://127.0.0.1:9/"])
def test_a_page_that_is_not_there_is_one_line(chromium, place):
    shown = invoke("features", place)
    assert shown.exit_code == 1
    assert shown.stderr.splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in shown.stderr


def test_no_browser_is_one_line(tmp_path):
    (tmp_path / "a.html").write_text("x")
    shown = invoke("features", tmp_path / "a.html", "--browser", tmp_path / "no-browser")
    assert shown.exit_code == 1
    assert "is no program; name a Chromium or Chrome with --browser" in shown.stderr
