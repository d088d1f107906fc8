"""The manifest: what a bundle holds, as frozen records checked while they are read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import msgspec

from runtime.bundle.decoding import decode_json
from runtime.bundle.parity import Parity
from runtime.bundle.quantization import Quantization
from runtime.errors import BundleError, VersionConflict

MANIFEST = "manifest.json"
SCHEMA_VERSION = 1
FILE_KINDS = ("model", "labels", "workload", "predictor", "policy", "figure", "report")
ENGINES = ("executorch", "litert")
MAIN_GRAPH = "forward"  # what a model's only graph is called
PRECISIONS = ("fp32", "dynamic_wi8_afp32", "static_wi8_ai8")
_MOST_SIDE = 1 << 14  # pixels; a photograph so wide takes 3 GB as floats
LAYOUTS = ("nchw", "nhwc")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class FileEntry:
    """One file of the bundle; ``path`` is relative and stays inside it."""

    path: str
    sha256: str
    size_bytes: int
    kind: str

    def __post_init__(self) -> None:
        check_inside(self.path)
        if not _SHA256.fullmatch(self.sha256):
            raise ValueError(f"sha256 of {self.path!r} is {self.sha256!r}; 64 lower-case hex digits needed")
        if self.kind not in FILE_KINDS:
            raise ValueError(f"kind of {self.path!r} is {self.kind!r}; allowed: {', '.join(FILE_KINDS)}")


@dataclass(frozen=True)
class ImageSpec:
    """How a photograph becomes an input tensor: resize, centre crop, scale to [0, 1], normalise.

    Attributes:
        size: height and width of the network's input in pixels.
        resize: the shorter side is scaled to this before the crop.
        mean, std: one value per channel, on the [0, 1] scale.
        channels: 3 (RGB) or 1 (grey).
        interpolation: ``bilinear`` or ``bicubic``.
        layout: of the tensor, one of ``LAYOUTS``: channels before or after height and width.
    """

    size: int
    resize: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    channels: int = 3
    interpolation: str = "bilinear"
    layout: str = "nchw"

    def __post_init__(self) -> None:
        if self.channels not in (1, 3):
            raise ValueError(f"channels is {self.channels}; allowed: 1 (grey), 3 (RGB)")
        if not len(self.mean) == len(self.std) == self.channels:
            raise ValueError(f"mean and std need {self.channels} values, got {self.mean} and {self.std}")
        if self.interpolation not in ("bilinear", "bicubic"):
            raise ValueError(f"interpolation is {self.interpolation!r}; allowed: bilinear, bicubic")
        if self.layout not in LAYOUTS:
            raise ValueError(f"layout is {self.layout!r}; allowed: {', '.join(LAYOUTS)}")
        if min(self.std) <= 0 or not 0 < self.size <= self.resize <= _MOST_SIDE:
            raise ValueError(f"need std > 0 and 0 < size <= resize <= {_MOST_SIDE}, got {self}")

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the tensor, batch 1."""
        sides = (self.size, self.size)
        return (1, self.channels, *sides) if self.layout == "nchw" else (1, *sides, self.channels)


@dataclass(frozen=True)
class TensorSpec:
    """Name, element type and static shape of one input or output."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    image: ImageSpec | None = None

    def __post_init__(self) -> None:
        if any(side < 1 for side in self.shape):
            raise ValueError(f"shape of {self.name!r} is {self.shape}; every side must be at least 1")


@dataclass(frozen=True)
class Graph:
    """One callable of the model: its inputs and outputs, in order."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


@dataclass(frozen=True)
class FallbackOp:
    """An op that runs outside the delegate, where it came from and why.

    ``latency_share`` is the part of a frame it took on the machine that exported it, 0 to 1.
    """

    op: str
    module_path: str
    reason: str
    allowed: bool = False
    latency_share: float | None = None


@dataclass(frozen=True)
class Delegation:
    """How many ops the fast delegate took, in how many partitions, and which it left."""

    delegated: int
    total: int
    partitions: int
    fallback: tuple[FallbackOp, ...] = ()


@dataclass(frozen=True)
class Variant:
    """One exported file: graph x engine x precision.

    ``graph`` is a key of the manifest's graphs; the entry point inside the file is always ``forward``.
    """

    name: str
    engine: str
    precision: str
    path: str
    graph: str = MAIN_GRAPH
    workload: str | None = None
    delegation: Delegation | None = None
    parity: Parity | None = None
    quantization: Quantization | None = None

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise ValueError(f"engine is {self.engine!r}; allowed: {', '.join(ENGINES)}")
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision is {self.precision!r}; allowed: {', '.join(PRECISIONS)}")


@dataclass(frozen=True)
class Manifest:
    """Everything known about a bundle. ``source`` holds provenance for people, not for programs."""

    name: str
    created_utc: str
    graphs: dict[str, Graph]
    variants: tuple[Variant, ...]
    files: tuple[FileEntry, ...] = ()
    labels: str | None = None
    source: dict[str, Any] = field(default_factory=dict)
    toolchain: dict[str, str] = field(default_factory=dict)
    schema_version: int = SCHEMA_VERSION

    def variant(self, name: str | None = None) -> Variant:
        """Return the variant called ``name``, or the first one.

        Raises:
            ValueError: there is none of that name.
        """
        if name is None:
            return self.variants[0]
        for variant in self.variants:
            if variant.name == name:
                return variant
        known = ", ".join(v.name for v in self.variants)
        raise ValueError(f"unknown variant {name!r}; this bundle has: {known}")

    def to_json(self) -> bytes:
        """Return the manifest as indented UTF-8 JSON."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1)

    @staticmethod
    def from_json(data: bytes, where: str) -> Manifest:
        """Parse and check a manifest.

        Args:
            data: contents of ``manifest.json``.
            where: named in errors.

        Raises:
            VersionConflict: written under a newer schema than this one.
            BundleError: not valid JSON, or a field is missing, of the wrong type or out of range.
        """
        raw: Any = decode_json(
            data, where=f"{where} is not valid JSON", advice="export the bundle again", error=BundleError
        )
        version = raw.get("schema_version") if isinstance(raw, dict) else None
        if type(version) is not int or version < 1:
            raise BundleError(
                f"{where} has schema version {version!r}; this edgekit reads 1 to {SCHEMA_VERSION}; "
                "export the bundle again"
            )
        if version > SCHEMA_VERSION:
            raise VersionConflict(
                f"{where} has schema version {version}; this edgekit reads up to {SCHEMA_VERSION}; "
                "upgrade edgekit"
            )
        try:
            manifest = msgspec.convert(raw, Manifest)
        except msgspec.ValidationError as err:
            raise BundleError(f"{where} does not fit its schema ({err}); export it again") from err
        manifest._check_references(where)
        return manifest

    def _check_references(self, where: str) -> None:
        listed = {entry.path for entry in self.files}
        if not self.variants:
            raise BundleError(f"{where} lists no variant; export the model again")
        if len(listed) != len(self.files):
            raise BundleError(f"{where} lists a file twice; export the model again")
        if len({variant.name for variant in self.variants}) != len(self.variants):
            raise BundleError(f"{where} has two variants of one name; export the model again")
        for variant in self.variants:
            if variant.graph not in self.graphs:
                raise BundleError(
                    f"{where}: variant {variant.name!r} names graph {variant.graph!r}, which is not there; "
                    "export the model again"
                )
        named = [v.path for v in self.variants] + [v.workload for v in self.variants] + [self.labels]
        for path in named:
            if path is not None and path not in listed:
                raise BundleError(
                    f"{where} names {path!r} but does not list it among its files; export the model again"
                )


def check_inside(path: str) -> None:
    """Refuse a file path that could leave the bundle, or that has a shorter spelling.

    Raises:
        ValueError: ``path`` is empty, absolute, climbs with ``..``, is not in its plain form
            (``a/b``, not ``./a//b``), or is the manifest's own.
    """
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\\" in path or "\0" in path:
        raise ValueError(f"path {path!r} leaves the bundle; only relative paths below it are allowed")
    if "/".join(parts) != path or path == MANIFEST:
        raise ValueError(f"path {path!r} is not the plain name of a bundle's file; write it as 'folder/name'")
