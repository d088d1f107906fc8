"""Frames of video files, by PyAV."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from runtime.errors import DataError
from runtime.extras import require

VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mpg", ".mpeg", ".gif")


def evenly_spread(count: int, total: int) -> list[int]:
    """Return the middles of ``count`` equal parts of ``total`` frames, rising."""
    return [(2 * part + 1) * total // (2 * count) for part in range(count)]


def read_frames(path: Path, count: int) -> list[Image.Image]:
    """Return ``count`` frames spread evenly over the video at ``path``, in colour.

    Raises:
        MissingExtra: PyAV is not installed.
        DataError: it is not a video, has fewer frames, or ends before the last frame that it tells of.
    """
    av = require("av", extra="video")
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise DataError(f"{path} has no pictures; give a video")
            stream = container.streams.video[0]
            total = stream.frames or _count(container, stream)
            if total < count:
                raise DataError(f"{path} has {total} frames; a clip needs {count} at least")
            wanted = evenly_spread(count, total)
            frames, n_read = [], 0
            for frame in _readable(container, stream, av.error.InvalidDataError):
                if n_read == wanted[len(frames)]:
                    frames.append(frame.to_image())
                n_read += 1
                if len(frames) == count:
                    return frames
    except (av.error.FFmpegError, OSError, ValueError) as err:
        raise DataError(f"{path} is not a readable video ({err}); convert it, or remove it") from err
    raise DataError(
        f"{path} ends early: of the {total} frames that it tells of the first {n_read} can be read; get the "
        "file again, or remove it"
    )


def _count(container: Any, stream: Any) -> int:
    """Return how many frames there are where the head of the file does not tell; then begin again."""
    total = sum(packet.size > 0 for packet in container.demux(stream))
    container.seek(0)
    return total


def _readable(container: Any, stream: Any, damaged: type[Exception]) -> Iterator[Any]:
    """Yield the frames up to the first that is damaged: where a file was cut off, the last one is."""
    frames = container.decode(stream)
    with contextlib.suppress(damaged):
        yield from frames
