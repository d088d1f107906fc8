"""Examples of a dataset side by side in one picture."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
from PIL import Image

from edgekit.data.dataset import Dataset
from edgekit.data.show.drawing import draw_example
from edgekit.data.tunes import FIRST_PITCH, HIGHEST, LOWEST, TuneDataset, TuneSplit
from runtime.bundle.result import Notes, Picture
from runtime.processing.results.colours import PAPER
from runtime.processing.results.decoded import Frame
from runtime.processing.results.notes import decode_notes
from runtime.processing.results.picture import PictureResult
from runtime.processing.results.saving import check_ending, save_result
from runtime.processing.results.text import TextResult

_SIDE, _FRAME_SIDE = 192, 96  # pixels of a picture, and of one of a clip's frames, at least
_COLUMNS = 4
_GAP, _LINE = 8, 16
_CHARACTER = 7  # pixels, of Pillow's own font
_TOKEN = "tune.note"


def draw_sheet(dataset: Dataset | TuneDataset, count: int, *, of_test: bool = False) -> Image.Image:
    """Return ``count`` examples, taken evenly, with all that is known of them; tunes as piano rolls.

    Args:
        of_test: of the test part instead of the training part.

    Raises:
        ValueError: ``count`` is below 1.
        DataError: an example cannot be read.
    """
    if count < 1:
        raise ValueError(f"{count} examples cannot be shown; give 1 or more")
    split = dataset.test if of_test else dataset.train
    chosen = np.linspace(0, len(split) - 1, min(count, len(split))).astype(int)
    if isinstance(split, TuneSplit):
        return _arrange([_roll(split.labels[index]) for index in chosen], columns=1)
    assert isinstance(dataset, Dataset)
    side = _FRAME_SIDE if dataset.frames else _SIDE
    tiles = [_tile(*draw_example(dataset, split, int(index), side)) for index in chosen]
    return _arrange(tiles, 1 if dataset.frames else _COLUMNS)


def save_sheet(sheet: Image.Image, path: Path) -> None:
    """Write ``sheet`` to ``path``, a ``.png`` or ``.jpg``, whole or not at all.

    Raises:
        DataError: the name ends otherwise, or it cannot be written.
    """
    save_result(PictureResult(np.asarray(sheet), None), path)


def check_sheet(path: Path) -> None:
    """Refuse a file that cannot be a sheet, before anything is read.

    Raises:
        DataError: its name ends otherwise than in ``.png`` or ``.jpg``, or the folder is not there.
    """
    check_ending(Picture("sheet"), path)


def _tile(frames: list[Image.Image], lines: list[str]) -> Image.Image:
    """Return frames side by side, and lines of text below them."""
    width, height = sum(one.width for one in frames), frames[0].height
    wrapped = [part for line in lines for part in textwrap.wrap(line, max(8, width // _CHARACTER)) or [""]]
    tile = Image.new("RGB", (width, height + _LINE * len(wrapped)), (0, 0, 0))
    left = 0
    for frame in frames:
        tile.paste(frame, (left, 0))
        left += frame.width
    for number, line in enumerate(wrapped):
        tile.paste(TextResult(line).draw(None), (0, height + _LINE * number))
    return tile


def _roll(events: np.ndarray) -> Image.Image:
    draws = [int(event) for event in events if event >= 0]
    form = Notes(_TOKEN, lowest=LOWEST, pitches=HIGHEST - LOWEST + 1)
    assert FIRST_PITCH == 2  # as the results' notes count: 0 holds, 1 ends
    return decode_notes(form, Frame({}, {_TOKEN: draws})).draw(None)


def _arrange(tiles: list[Image.Image], columns: int) -> Image.Image:
    rows = [tiles[start : start + columns] for start in range(0, len(tiles), columns)]
    width = max(sum(tile.width + _GAP for tile in row) for row in rows) + _GAP
    height = sum(max(tile.height for tile in row) + _GAP for row in rows) + _GAP
    sheet = Image.new("RGB", (width, height), PAPER)
    top = _GAP
    for row in rows:
        left = _GAP
        for tile in row:
            sheet.paste(tile, (left, top))
            left += tile.width + _GAP
        top += max(tile.height for tile in row) + _GAP
    return sheet
