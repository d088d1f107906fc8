"""Faces set on real photographs, with the class of each pixel and the box that a detector would give."""

from edgekit.data.faces.artists import draw_face
from edgekit.data.faces.face import FACE_CLASSES, FACE_COLOURS, Face
from edgekit.data.faces.fields import FaceDataset, faces_dataset
from edgekit.data.faces.kept import KeptFaces
from edgekit.data.faces.photographs import photographs
from edgekit.data.faces.portrait import PICTURE_SIDE, Portrait, compose
from edgekit.data.faces.portraits import Portraits, artists_portraits, toy_portraits
from edgekit.data.faces.toy import draw_toy_face

__all__ = [
    "FACE_CLASSES",
    "FACE_COLOURS",
    "PICTURE_SIDE",
    "Face",
    "FaceDataset",
    "KeptFaces",
    "Portrait",
    "Portraits",
    "artists_portraits",
    "compose",
    "draw_face",
    "draw_toy_face",
    "faces_dataset",
    "photographs",
    "toy_portraits",
]
