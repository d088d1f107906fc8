"""``edgekit fit --kind web``: records of gestures learnt from, transferred and corrected."""

import json

import msgspec
import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from runtime.web.learning.pages import write_pages
from tests.runtime.web.learning.gestures import world

SDM845 = (("little", 576000), ("little", 1766400), ("big", 825600), ("big", 1766400), ("big", 2803200))


def written(path, records):
    path.write_bytes(b"".join(msgspec.json.encode(record) + b"\n" for record in records))
    return str(path)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("web")
    records, known = world(n_pages=16, n_families=8, runs=1)
    written(folder / "records.jsonl", records)
    write_pages(folder / "pages.jsonl", known.values())
    return folder


def fit(place, *arguments):
    common = [
        "fit",
        "--kind",
        "web",
        "--pages",
        str(place / "pages.jsonl"),
        "-o",
        str(place / "fit"),
        "--quiet",
    ]
    return CliRunner().invoke(cli, [*common, *map(str, arguments)], catch_exceptions=False)


def test_records_are_learnt_from_and_what_was_learnt_is_carried_on(place):
    done = fit(place, place / "records.jsonl")
    assert done.exit_code == 0, done.output
    assert "<- chosen" in done.output
    assert "mean of other pages" in done.output
    there, _ = world(n_pages=16, n_families=8, runs=1, target="emulated:sdm845", slow=1.5, settings=SDM845)
    moved = fit(place, written(place / "there.jsonl", there), "--from", "emulated:exynos5422", "--json")
    assert json.loads(moved.stdout)[0]["source"] == "emulated:exynos5422"
    watched = fit(place, "--log", place / "records.jsonl")
    assert "Nothing was corrected." in watched.output


def test_wrong_uses_are_told_apart(place):
    alone = CliRunner().invoke(cli, ["fit", "--kind", "web"])
    assert (alone.exit_code, "takes RECORDS" in alone.output) == (2, True)
    mixed = CliRunner().invoke(cli, ["fit", "a.edgekit", "b.edgekit"])
    assert (mixed.exit_code, "go with --kind web alone" in mixed.output) == (2, True)
    kernels = CliRunner().invoke(cli, ["fit", "--kind", "web", "--engine", "litert", "a.jsonl"])
    assert kernels.exit_code == 2
    missing = fit(place, place / "nothing.jsonl")
    assert (missing.exit_code, "is no file of records" in missing.output) == (1, True)
