"""Melodies: three LSTM levels, from the rhythm of bars over that of beats to notes."""

from edgekit.tasks.melody.task import Melody

__all__ = ["Melody"]
