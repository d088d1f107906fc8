"""Whatever reads what others wrote takes a few hundred damaged inputs cleanly; campaigns try more."""

import subprocess
import sys

import pytest

from runtime.errors import EdgekitError
from tests.benchmarks.fuzz.arena import Arena
from tests.benchmarks.fuzz.surface import SURFACES, Prepared, Sample
from tests.benchmarks.fuzz.surfaces import load
from tests.benchmarks.fuzz.trial import mutation, try_one
from tests.places import ROOT

load()
QUICK = [name for name in SURFACES.names() if SURFACES.get(name).quick]
NATIVE = ["c-governor", "c-runner"]


def findings(name, folder, count, seed=1):
    """Return what a surface took badly among its first ``count`` mutations."""
    arena = Arena(folder)
    with arena.watched():
        prepared = SURFACES.get(name).prepare(arena.given)
        arena.touched()
        try:
            for number in range(count):
                sample, data = mutation(prepared, arena, name, seed, number)
                yield from try_one(prepared, arena, name, number, sample, data)
        finally:
            prepared.close()


@pytest.mark.parametrize("name", QUICK)
def test_damaged_input_is_taken_or_refused_in_our_words(name, tmp_path):
    for found in findings(name, tmp_path, SURFACES.get(name).quick):
        pytest.fail(f"{found.kind} at mutation {found.number} of {found.sample}: {found.detail}")


@pytest.mark.slow
@pytest.mark.parametrize("name", NATIVE)
def test_native_programs_pass_their_sanitizers(name, tmp_path):
    try:
        for found in findings(name, tmp_path, 200):
            pytest.fail(f"mutation {found.number} of {found.sample}: {found.detail}")
    except EdgekitError as err:
        pytest.skip(str(err))


def test_a_reader_that_leaves_its_folder_or_fails_is_found(tmp_path):
    def read(sample, data):
        (tmp_path / "outside" / "new").write_bytes(data)
        raise KeyError(sample.name)

    prepared, arena = Prepared((Sample("toy", b"x", "binary"),), read), Arena(tmp_path)
    with arena.watched():
        found = list(try_one(prepared, arena, "toy", 0, prepared.samples[0], b"y"))
    assert [one.kind for one in found] == ["traceback", "outside"]
    assert "KeyError: 'toy'" in found[0].detail
    assert found[1].detail == f"open {tmp_path}/outside/new"


def test_mutations_are_the_same_each_time(tmp_path):
    arena = Arena(tmp_path)
    prepared = Prepared((Sample("toy", b'{"a": [1, 2, "b"], "c": {}}', "json"),), lambda sample, data: None)
    tried = [mutation(prepared, arena, "toy", 3, number)[1] for number in range(200)]
    assert tried == [mutation(prepared, arena, "toy", 3, number)[1] for number in range(200)]
    assert len(set(tried)) > 100


@pytest.mark.slow
def test_the_campaign_counts_what_it_tried(tmp_path):
    words = ["--minutes", "0.05", "--surface", "costs", "--json", str(tmp_path / "out.json")]
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.fuzz", *words, "--findings", str(tmp_path / "findings")],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"hangs": 0' in (tmp_path / "out.json").read_text()
