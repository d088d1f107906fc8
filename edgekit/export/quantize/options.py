"""What a user chooses about quantisation."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.export.quantize.calibration import Calibration
from edgekit.export.quantize.validation import Validation


@dataclass(frozen=True)
class QuantizeOptions:
    """How to quantise, and what to hold the result against.

    Attributes:
        calibration: real inputs that are not those of the test; ``None`` takes each graph's own frames.
        validation: labelled inputs; the score on them goes into the manifest.
        max_drop: largest share of the score that may be lost, such as 0.01; layers are kept float until
            it holds.
        keep_float: paths of modules to keep float, besides those that stay float by themselves.
        int8_io: let the file take and give int8 instead of float.
    """

    calibration: Calibration | None = None
    validation: Validation | None = None
    max_drop: float | None = None
    keep_float: tuple[str, ...] = ()
    int8_io: bool = False

    def __post_init__(self) -> None:
        if self.max_drop is None:
            return
        if not 0 <= self.max_drop < 1:
            raise ValueError(f"the largest drop is {self.max_drop:g}; allowed: from 0 up to 1 (100%)")
        if self.validation is None:
            raise ValueError(
                "a largest drop needs labelled images to measure it on: export a checkpoint, whose dataset "
                "has them, or give a folder with a sub-folder per class with --validation"
            )
