"""Outlines of objects as COCO writes them, drawn as masks.

Runs are lengths of pixels that are outside and inside in turns, column by column; compressed ones are numbers
of 5 bits a character from ``0`` on (a sixth says that more follow), each from the fourth on less the one two
before (https://github.com/cocodataset/cocoapi/blob/master/common/maskApi.c).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageDraw


def draw_segment(segmentation: Any, width: int, height: int) -> np.ndarray:
    """Return which pixels belong to an object, bool, shape (height, width).

    Args:
        segmentation: polygons, each a list x, y, x, y, ...; or ``{"size": [height, width], "counts": runs}``.

    Raises:
        ValueError: it is neither, or of another size.
    """
    if isinstance(segmentation, dict):
        return _draw_runs(segmentation, width, height)
    if not isinstance(segmentation, list) or not segmentation:
        raise ValueError("its segmentation is neither a list of polygons nor runs of pixels")
    canvas = Image.new("1", (width, height))
    pen = ImageDraw.Draw(canvas)
    for polygon in segmentation:
        numbers = isinstance(polygon, list) and all(isinstance(one, int | float) for one in polygon)
        if not numbers or len(polygon) < 6 or len(polygon) % 2:
            raise ValueError("a polygon of its segmentation has not three corners or more, x and y of each")
        pen.polygon([float(one) for one in polygon], fill=1)
    return np.asarray(canvas)


def _draw_runs(segmentation: dict[str, Any], width: int, height: int) -> np.ndarray:
    counts, size = segmentation.get("counts"), segmentation.get("size")
    if size != [height, width]:
        raise ValueError(f"its segmentation has size {size}, its picture is [{height}, {width}]")
    runs = _expand(counts) if isinstance(counts, str) else counts
    is_count = isinstance(runs, list) and all(isinstance(one, int) and one >= 0 for one in runs)
    if not is_count or sum(runs) != width * height:
        raise ValueError(f"the runs of its segmentation do not add up to {width * height} pixels")
    inside = np.arange(len(runs)) % 2 == 1
    return np.repeat(inside, runs).reshape(width, height).T


def _expand(text: str) -> list[int]:
    runs: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - 48
        value |= (bits & 0x1F) << shift
        shift += 5
        if bits & 0x20:
            continue
        if bits & 0x10:  # the highest bit of the last five: it is negative
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    return runs
