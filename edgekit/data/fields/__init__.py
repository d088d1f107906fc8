"""What is known of an image beside its pixels: masks, boxes, keypoints, identities, captions."""

from edgekit.data.fields.columns import Chosen, Column, Fields
from edgekit.data.fields.field import (
    UNCOUNTED,
    Boxes,
    Caption,
    Field,
    Fixed,
    Identity,
    Keypoints,
    Label,
    Mask,
    cut_boxes,
    cut_points,
)

__all__ = [
    "UNCOUNTED",
    "Boxes",
    "Caption",
    "Chosen",
    "Column",
    "Field",
    "Fields",
    "Fixed",
    "Identity",
    "Keypoints",
    "Label",
    "Mask",
    "cut_boxes",
    "cut_points",
]
