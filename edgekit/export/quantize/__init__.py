"""Quantisation: int8 weights, and int8 activations where their range is known."""

from edgekit.export.quantize.calibration import Calibration, load_calibration, sample_photographs
from edgekit.export.quantize.data import find_calibration, find_validation, read_share
from edgekit.export.quantize.options import QuantizeOptions
from edgekit.export.quantize.run import QUANTIZERS, quantize_graph
from edgekit.export.quantize.validation import Validation, load_validation

__all__ = [
    "QUANTIZERS",
    "Calibration",
    "QuantizeOptions",
    "Validation",
    "find_calibration",
    "find_validation",
    "load_calibration",
    "load_validation",
    "quantize_graph",
    "read_share",
    "sample_photographs",
]
