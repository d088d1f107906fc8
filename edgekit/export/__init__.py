"""From a PyTorch model to files that phones run fast, with proof that they compute the same."""

from edgekit.export.backend import EXPORT_BACKENDS, Exported
from edgekit.export.graph import Origin
from edgekit.export.lower import lower
from edgekit.export.origin import find_origin
from edgekit.export.pipeline import export_bundle
from edgekit.export.preprocess import Preprocess
from edgekit.export.quantize import QuantizeOptions
from edgekit.export.user_model import live_model

__all__ = [
    "EXPORT_BACKENDS",
    "Exported",
    "Origin",
    "Preprocess",
    "QuantizeOptions",
    "export_bundle",
    "find_origin",
    "live_model",
    "lower",
]
