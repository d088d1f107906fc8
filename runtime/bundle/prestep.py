"""Pre-steps: how a picture becomes the input of a flow, as plain data of a closed registry."""

from __future__ import annotations

from typing import get_args

import msgspec

_MOST_MARGIN = 16.0


class _PreStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="name"):
    """A pre-step gives one value, ``image``; the input it is joined to says size, mean, std and layout."""


class ResizeCrop(_PreStep, frozen=True, tag="resize_crop"):
    """The shorter side resized, then the centre cropped, as classifiers take photographs."""


class Whole(_PreStep, frozen=True, tag="whole"):
    """The whole picture, squeezed to the network's square."""


class BoxCrop(_PreStep, frozen=True, tag="box_crop"):
    """The user's box, grown by ``margin`` on its centre, squeezed to the network's square."""

    margin: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.margin <= _MOST_MARGIN:
            raise ValueError(f"margin is {self.margin}; it must be above 0 and at most {_MOST_MARGIN:g}")


class TanhWarp(_PreStep, frozen=True, tag="tanh_warp"):
    """The whole picture, warped by tanh so that the user's box takes three quarters of it (1906.01342)."""


PreStep = ResizeCrop | Whole | BoxCrop | TanhWarp
PRE_STEPS = tuple(str(one.__struct_config__.tag) for one in get_args(PreStep))  # their names
NEEDS_BOX = (BoxCrop, TanhWarp)
PRE_VALUES = ("image",)  # what a pre-step gives, to be joined as ``pre:image``
