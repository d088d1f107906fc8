"""The closed registry of results: from a frame's tensors to what they mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from runtime.bundle import result as r
from runtime.errors import DataError
from runtime.extras import require
from runtime.processing.results.boxes import decode_boxes
from runtime.processing.results.decoded import Decoded, Frame
from runtime.processing.results.embedding import decode_embedding
from runtime.processing.results.keypoints import decode_keypoints
from runtime.processing.results.labels import decode_labels
from runtime.processing.results.mask import decode_mask
from runtime.processing.results.notes import decode_notes
from runtime.processing.results.picture import decode_picture
from runtime.processing.results.text import decode_text

_DECODERS: dict[type[r.Result], Callable[[Any, Frame], Decoded]] = {
    r.Labels: decode_labels,
    r.Mask: decode_mask,
    r.Boxes: decode_boxes,
    r.Keypoints: decode_keypoints,
    r.Embedding: decode_embedding,
    r.Picture: decode_picture,
    r.Text: decode_text,
    r.Notes: decode_notes,
}


def decode(result: r.Result, frame: Frame) -> Decoded:
    """Return what the tensors of ``frame`` mean.

    Raises:
        DataError: a tensor holds infinities or what is no number, or labels and classes differ in number.
    """
    np = require("numpy", extra="images")
    for text in msgspec.structs.asdict(result).values():
        if isinstance(text, str) and text in frame.outputs and not np.isfinite(frame.outputs[text]).all():
            raise DataError(f"{text} holds numbers that are infinite or none; export the model again")
    return _DECODERS[type(result)](result, frame)
