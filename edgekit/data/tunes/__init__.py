"""Melodies of one voice as one event per sixteenth: read from ABC, or drawn."""

from edgekit.data.tunes.collection import COLLECTIONS, Tunes, load_tunes
from edgekit.data.tunes.drawn import draw_tunes
from edgekit.data.tunes.grid import (
    END,
    FIRST_PITCH,
    HIGHEST,
    HOLD,
    LOWEST,
    N_EVENTS,
    STEPS_PER_BAR,
    STEPS_PER_BEAT,
    onsets_of,
)
from edgekit.data.tunes.windows import TuneDataset, TuneSplit, tune_dataset

__all__ = [
    "COLLECTIONS",
    "END",
    "FIRST_PITCH",
    "HIGHEST",
    "HOLD",
    "LOWEST",
    "N_EVENTS",
    "STEPS_PER_BAR",
    "STEPS_PER_BEAT",
    "TuneDataset",
    "TuneSplit",
    "Tunes",
    "draw_tunes",
    "load_tunes",
    "onsets_of",
    "tune_dataset",
]
