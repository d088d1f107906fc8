import importlib.util
import os

import numpy as np
import pytest

from edgekit.data.tunes import FIRST_PITCH, N_EVENTS, draw_tunes, load_tunes
from edgekit.data.tunes.copies import without_copies
from runtime.errors import DataError, MissingExtra

_TUNE = "X:{n}\nT:{n}\nM:4/4\nL:1/8\nK:C\n{body}\n\n"


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def _book(folder, n_tunes: int):
    rng = np.random.default_rng(0)
    bodies = ["".join("CDEFGABc"[i] for i in rng.integers(8, size=8)) + "|" for _ in range(n_tunes * 4)]
    folder.mkdir(exist_ok=True)
    tunes = [_TUNE.format(n=n, body="".join(bodies[4 * n : 4 * n + 4])) for n in range(n_tunes)]
    (folder / "book.abc").write_text("".join(tunes), encoding="utf-8")


def test_a_folder_is_split_by_tune_and_what_cannot_be_used_is_counted(tmp_path):
    _book(tmp_path / "abc", 20)
    (tmp_path / "abc" / "waltz.abc").write_text("X:1\nM:3/4\nK:C\nC6|", encoding="utf-8")
    os.mkfifo(tmp_path / "abc" / "pipe.abc")  # is not waited for
    tunes = load_tunes("folder", root=tmp_path / "abc")
    assert (len(tunes.train), len(tunes.test)) == (17, 3)
    assert tunes.described.startswith("20 of 21 tunes of folder")


def test_the_same_tunes_come_from_the_cache_and_changed_files_are_read_again(tmp_path):
    folder = tmp_path / "abc"
    _book(folder, 10)
    first = load_tunes("folder", root=folder)
    again = load_tunes("folder", root=folder)
    assert all(np.array_equal(a, b) for a, b in zip(first.train, again.train, strict=True))
    _book(folder, 20)
    assert len(load_tunes("folder", root=folder).train) > len(first.train)


def test_a_cache_that_was_cut_off_is_replaced(tmp_path):
    _book(tmp_path / "abc", 10)
    load_tunes("folder", root=tmp_path / "abc")
    (kept,) = (tmp_path / "cache").rglob("*.npz")
    kept.write_bytes(kept.read_bytes()[:100])
    assert len(load_tunes("folder", root=tmp_path / "abc").test) == 2


def test_a_copy_in_another_octave_with_another_ending_does_not_stay():
    tune, other = draw_tunes(2, seed=3)
    copy = np.where(tune >= FIRST_PITCH, tune + 12, tune)
    copy[-16:] = 0
    kept = without_copies([other, copy.astype(np.int16)], [tune])
    assert len(kept) == 1
    assert np.array_equal(kept[0], other)


@pytest.mark.parametrize("content", [None, "", "X:1\nM:4/4\nL:1/8\nK:C\n|\n"])
def test_a_folder_without_tunes_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "empty.abc").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=r"abc|tunes"):
        load_tunes("folder", root=tmp_path)


def test_without_music21_the_line_to_run_is_said(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install .*tunes"):
        load_tunes("essen")


@pytest.mark.skipif(importlib.util.find_spec("music21") is None, reason="music21 is not installed")
def test_essen_and_ryan_give_two_thousand_tunes():
    tunes = load_tunes("essen", "ryan")
    assert len(tunes.train) + len(tunes.test) > 2000
    assert max(int(events.max()) for events in tunes.train) < N_EVENTS
