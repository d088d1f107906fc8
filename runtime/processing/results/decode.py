"""The closed registry of results: from a frame's tensors to what they mean."""

from __future__ import annotations

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


def decode(result: r.Result, frame: Frame) -> Decoded:
    """Return what the tensors of ``frame`` mean.

    Raises:
        DataError: a tensor holds infinities or what is no number, or labels and classes differ in number.
    """
    np = require("numpy", extra="images")
    for text in msgspec.structs.asdict(result).values():
        if isinstance(text, str) and text in frame.outputs and not np.isfinite(frame.outputs[text]).all():
            raise DataError(f"{text} holds numbers that are infinite or none; export the model again")
    if isinstance(result, r.Labels):
        return decode_labels(result, frame)
    if isinstance(result, r.Mask):
        return decode_mask(result, frame)
    if isinstance(result, r.Boxes):
        return decode_boxes(result, frame)
    if isinstance(result, r.Keypoints):
        return decode_keypoints(result, frame)
    if isinstance(result, r.Embedding):
        return decode_embedding(result, frame)
    if isinstance(result, r.Picture):
        return decode_picture(result, frame)
    if isinstance(result, r.Text):
        return decode_text(result, frame)
    return decode_notes(result, frame)
