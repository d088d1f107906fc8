"""What a flow's tensors mean, as plain data of a closed registry; ``GRAPH.OUTPUT`` names a tensor."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

MOST_CLASSES = 1 << 16
_MOST_LETTERS = 256  # of a word, which may be drawn at every step
Colour = tuple[int, int, int]


class _Result(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="name"):
    """A step after the graphs; a parameter it does not know is refused."""


class Labels(_Result, frozen=True, tag="labels"):
    """The likeliest classes of a row of scores, called by ``classes`` or the bundle's file of labels."""

    scores: str
    classes: tuple[str, ...] = ()
    most: int = 5

    def __post_init__(self) -> None:
        if not 1 <= self.most <= MOST_CLASSES:
            raise ValueError(f"most is {self.most}; allowed: 1 to {MOST_CLASSES}")


class Mask(_Result, frozen=True, tag="mask"):
    """The likeliest class of each pixel, drawn over the picture.

    Attributes:
        scores: of shape (1, C, h, w), or (1, h, w, C) where ``layout`` is ``nhwc``.
        classes: names, as many as C.
        palette: a colour, 0 to 255 each, per class; empty: colours of our own.
        background: the class that is not drawn; ``None``: all are.
    """

    scores: str
    classes: tuple[str, ...]
    palette: tuple[Colour, ...] = ()
    background: int | None = 0
    layout: Literal["nchw", "nhwc"] = "nchw"

    def __post_init__(self) -> None:
        _check_names("classes", self.classes)
        if len(self.classes) > 256:
            raise ValueError(f"a mask has {len(self.classes)} classes; a PNG holds 256: merge some")
        if self.palette and len(self.palette) != len(self.classes):
            raise ValueError(f"{len(self.palette)} colours for {len(self.classes)} classes; give one each")
        if any(not 0 <= part <= 255 for colour in self.palette for part in colour):
            raise ValueError("a colour of the palette is outside 0 to 255; give red, green, blue as bytes")
        if self.background is not None and not 0 <= self.background < len(self.classes):
            raise ValueError(f"background is {self.background}; it must be the number of a class")


class Boxes(_Result, frozen=True, tag="boxes"):
    """Boxes with a class and a score, the worse of two that overlap left out.

    Attributes:
        boxes: of shape (1, N, 4), in pixels of the network's input: left, top, right, bottom.
        scores: of shape (1, N, C), probabilities.
        threshold: least score.
        overlap: intersection over union from which the worse of two boxes of a class is left out.
        most: boxes kept.
    """

    boxes: str
    scores: str
    classes: tuple[str, ...]
    threshold: float = 0.5
    overlap: float = 0.5
    most: int = 100

    def __post_init__(self) -> None:
        _check_names("classes", self.classes)
        _check_share("threshold", self.threshold)
        _check_share("overlap", self.overlap)
        if not 1 <= self.most <= 10_000:
            raise ValueError(f"most is {self.most}; allowed: 1 to 10000")


class Keypoints(_Result, frozen=True, tag="keypoints"):
    """The hottest place of each map.

    Attributes:
        heatmaps: of shape (1, K, h, w).
        points: names, as many as K.
        bones: pairs of points to draw a line between.
        threshold: least heat of a point that is shown.
    """

    heatmaps: str
    points: tuple[str, ...]
    bones: tuple[tuple[int, int], ...] = ()
    threshold: float = 0.0

    def __post_init__(self) -> None:
        _check_names("points", self.points)
        if len(self.bones) > MOST_CLASSES:
            raise ValueError(f"there are {len(self.bones)} bones; at most {MOST_CLASSES} are drawn")
        if any(not 0 <= end < len(self.points) for bone in self.bones for end in bone):
            raise ValueError(f"a bone joins points outside 0 to {len(self.points) - 1}; correct its numbers")


class Embedding(_Result, frozen=True, tag="embedding"):
    """A vector scaled to length 1, and the references whose vectors lie nearest."""

    vector: str
    most: int = 5

    def __post_init__(self) -> None:
        if not 1 <= self.most <= MOST_CLASSES:
            raise ValueError(f"most is {self.most}; allowed: 1 to {MOST_CLASSES}")


class Picture(_Result, frozen=True, tag="picture"):
    """A picture that the network makes: pixels times ``std`` plus ``mean`` lie in [0, 1].

    Attributes:
        pixels: of shape (1, C, h, w) with C 1 or 3, or (1, h, w, C) where ``layout`` is ``nhwc``.
    """

    pixels: str
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    layout: Literal["nchw", "nhwc"] = "nchw"

    def __post_init__(self) -> None:
        if not (len(self.mean) == len(self.std) and len(self.mean) in (1, 3)):
            raise ValueError(f"mean {self.mean} and std {self.std} must both have 1 or 3 values")


class Text(_Result, frozen=True, tag="text"):
    """A token's draws as words with spaces between; ``end`` and what follows is left out."""

    token: str
    words: tuple[str, ...]
    end: int | None = None

    def __post_init__(self) -> None:
        _check_names("words", self.words)
        if (longest := max(map(len, self.words))) > _MOST_LETTERS:
            raise ValueError(f"a word has {longest} letters; at most {_MOST_LETTERS} are allowed")


class Notes(_Result, frozen=True, tag="notes"):
    """A token's draws as a melody of one voice.

    Attributes:
        token: 0 lets the note before sound on, 1 ends it, 2 begins the lowest pitch, 3 the next.
        lowest: MIDI number of the lowest pitch; middle C is 60.
        pitches: how many pitches there are.
        steps_per_beat, beats_per_bar: 4 and 4 for sixteenths in 4/4.
        tempo_bpm: beats in a minute.
        program: MIDI's number of the instrument, from 0, the piano.
    """

    token: str
    lowest: int
    pitches: int
    steps_per_beat: int = 4
    beats_per_bar: int = 4
    tempo_bpm: float = 120.0
    program: int = 0

    def __post_init__(self) -> None:
        if not (self.lowest >= 0 and self.pitches >= 1 and self.lowest + self.pitches <= 128):
            raise ValueError(
                f"pitches {self.lowest} to {self.lowest + self.pitches - 1} are not MIDI's 0 to 127; change "
                "lowest or pitches"
            )
        if not (1 <= self.steps_per_beat <= 96 and 1 <= self.beats_per_bar <= 64):
            raise ValueError("steps_per_beat must be 1 to 96 and beats_per_bar 1 to 64; change them")
        if not (4 <= self.tempo_bpm <= 1000 and 0 <= self.program <= 127):
            raise ValueError("tempo_bpm must be 4 to 1000 and program 0 to 127; change them")


Result = Labels | Mask | Boxes | Keypoints | Embedding | Picture | Text | Notes
RESULTS = tuple(str(one.__struct_config__.tag) for one in get_args(Result))  # their names


def step_name(step: msgspec.Struct) -> str:
    """Return what a result or a pre-step is called in a manifest."""
    return str(step.__struct_config__.tag)


def _check_names(what: str, names: tuple[str, ...]) -> None:
    if not 1 <= len(names) <= MOST_CLASSES or len(set(names)) != len(names):
        raise ValueError(f"{what} must be 1 to {MOST_CLASSES} different names; got {len(names)}")


def _check_share(what: str, share: float) -> None:
    if not 0 <= share <= 1:
        raise ValueError(f"{what} is {share}; allowed: 0 to 1")
