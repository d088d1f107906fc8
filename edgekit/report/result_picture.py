"""Pictures of results, as ``edgekit run -o parsed.png`` draws them, inside the report."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path

from edgekit.report.page import data_address
from runtime.processing.images import in_channels, open_image

_MOST_PX = 960  # as wide as the report's text, on a fine screen


@dataclass(frozen=True)
class ResultPicture:
    """A picture of a result: the file's name, and the picture as a ``data:`` address."""

    name: str
    address: str


def result_picture(path: str | os.PathLike[str]) -> ResultPicture:
    """Return the picture at ``path``, at most 960 pixels wide and high.

    Raises:
        DataError: there is none, or it cannot be read.
        MissingExtra: Pillow is not installed.
    """
    picture = in_channels(open_image(Path(path)), 3)
    picture.thumbnail((_MOST_PX, _MOST_PX))
    data = io.BytesIO()
    picture.save(data, "PNG")
    return ResultPicture(Path(path).name, data_address("image/png", data.getvalue()))
