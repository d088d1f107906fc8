"""Pages that no predictor was taught: families drawn, left out of the records; the rest is learnt from."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import msgspec

from edgekit.api.web_profile import stress_pages
from edgekit.cli._output import note
from runtime.errors import DataError
from runtime.web.learning.fit import fit_web
from runtime.web.learning.kept import read_records
from runtime.web.learning.pages import family_of, read_pages
from runtime.web.pages.corpus import CorpusPage, corpus_folder, find_pages

_MOST_OF_A_FAMILY = 2
_LEAST_SCREENS = 2.0


def draw_pages(count: int, stress: int, folder: Path, seed: int) -> list[CorpusPage]:
    """Return pages of families drawn at random, at most two of each.

    Args:
        count: of all pages.
        stress: of those that are stress pages, written into ``folder``.
    """
    order = random.Random(seed)
    try:
        real = [page for page in find_pages(corpus_folder()) if (page.screens or 0.0) >= _LEAST_SCREENS]
    except DataError as err:
        note(f"{err}; all pages are stress pages")
        real = []
    made = stress_pages(folder)
    drawn = _draw(made, min(stress, count) if real else count, order)
    return [*_draw(real, count - len(drawn), order), *drawn]


def fit_without(
    pages: Sequence[CorpusPage],
    records: Path,
    target: str,
    kinds: Sequence[str],
    folder: Path,
    learners: Sequence[str] | None,
) -> list[str]:
    """Learn from the records of all families but those of ``pages``, and return the families left out.

    Args:
        records: folder of files of records and of pages, as ``edgekit web profile`` writes it.
    """  # fmt: skip
    paths = sorted(path for path in records.iterdir() if path.name.endswith((".jsonl", ".jsonl.gz")))
    lists = [path for path in paths if "pages" in path.name and path.suffix == ".jsonl"]
    known = read_pages(lists)
    left_out = {page.family for page in pages}
    mine = [
        record
        for record in read_records(path for path in paths if path not in lists)
        if record.gesture is not None
        and record.gesture.kind in kinds
        and record.target == target
        and family_of(record.model, known) not in left_out
    ]
    rest = {name: page for name, page in known.items() if family_of(name, known) not in left_out}
    note(f"learning from {len(mine)} records of {len(rest)} pages; {len(left_out)} families are left out")
    fit_web(mine, rest, folder, learners=learners, include_unstable=True, on_step=note)
    return sorted(left_out)


def write_pages(path: Path, pages: Sequence[CorpusPage]) -> None:
    """Hand pages over to a run inside an emulated phone."""
    path.write_bytes(msgspec.json.encode(pages, enc_hook=str))


def read_pages_of(path: Path) -> list[CorpusPage]:
    """Return the pages that were handed over."""
    return msgspec.json.decode(
        path.read_bytes(), type=list[CorpusPage], dec_hook=lambda kind, text: kind(text)
    )


def _draw(pages: Sequence[CorpusPage], count: int, order: random.Random) -> list[CorpusPage]:
    families: dict[str, list[CorpusPage]] = {}
    for page in order.sample(pages, len(pages)):
        families.setdefault(page.family, []).append(page)
    drawn: list[CorpusPage] = []
    for name in order.sample(sorted(families), len(families)):
        drawn += families[name][:_MOST_OF_A_FAMILY]
    return drawn[:count]
