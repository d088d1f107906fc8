"""Records as other tools read them."""

from runtime.measure.formats.formats import FORMATS, convert

__all__ = ["FORMATS", "convert"]
