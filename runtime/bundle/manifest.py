"""The manifest: what a bundle holds, as frozen records checked while they are read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import msgspec

from runtime.bundle.decoding import decode_json
from runtime.bundle.joins import check_task
from runtime.bundle.parity import Parity
from runtime.bundle.quantization import Quantization
from runtime.bundle.task import TaskSpec, implied_task, unknown_step
from runtime.bundle.tensors import MAIN_GRAPH, Graph
from runtime.errors import BundleError, VersionConflict

MANIFEST = "manifest.json"
SCHEMA_VERSION = 2  # 1 had no task
FILE_KINDS = ("model", "labels", "workload", "predictor", "policy", "figure", "report")
ENGINES = ("executorch", "litert")
PRECISIONS = ("fp32", "dynamic_wi8_afp32", "static_wi8_ai8")
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

    @property
    def is_in_one(self) -> bool:
        """Whether the delegate took all ops, in one partition."""
        return self.partitions == 1 and not self.fallback


@dataclass(frozen=True)
class Variant:
    """One exported file: graph x engine x precision.

    ``graph`` is a key of the manifest's graphs; the entry point inside the file is always ``forward``.
    ``export`` is the same in all files that were exported from one set of weights: only these make a flow.
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
    export: str | None = None

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise ValueError(f"engine is {self.engine!r}; allowed: {', '.join(ENGINES)}")
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision is {self.precision!r}; allowed: {', '.join(PRECISIONS)}")


@dataclass(frozen=True)
class Manifest:
    """Everything known about a bundle. ``source`` holds provenance for people, not for programs.

    ``task`` is ``None`` where the bundle names none; see ``task_or_implied``.
    """

    name: str
    created_utc: str
    graphs: dict[str, Graph]
    variants: tuple[Variant, ...]
    files: tuple[FileEntry, ...] = ()
    labels: str | None = None
    task: TaskSpec | None = None
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

    @property
    def task_or_implied(self) -> TaskSpec | None:
        """The bundle's task; a classifier has one without naming it. ``None`` where tensors mean nothing."""
        return self.task or implied_task(self.graphs, self.labels is not None)

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
        if (problem := unknown_step(raw.get("task"))) is not None:
            raise BundleError(f"{where} names a step that this edgekit has not: {problem}; upgrade edgekit")
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
        if self.task is not None:
            self._check_flow(self.task, where)
        named = [v.path for v in self.variants] + [v.workload for v in self.variants] + [self.labels]
        for path in named:
            if path is not None and path not in listed:
                raise BundleError(
                    f"{where} names {path!r} but does not list it among its files; export the model again"
                )

    def _check_flow(self, task: TaskSpec, where: str) -> None:
        try:
            check_task(task, self.graphs)
        except ValueError as err:
            raise BundleError(f"{where}: the flow of task {task.name!r} does not hold: {err}") from err
        names = {use.name for use in task.flow.graphs}
        files = [variant for variant in self.variants if variant.graph in names]
        if missing := names - {variant.graph for variant in files}:
            raise BundleError(f"{where}: graph {min(missing)!r} of the flow has no file; export it too")
        exports = {variant.export for variant in files}
        if len(names) > 1 and (len(exports) != 1 or None in exports):
            told = ", ".join(f"{variant.name} of {variant.export or 'unknown'}" for variant in files)
            raise BundleError(
                f"{where}: the files of the flow come from different exports ({told}); only graphs of the "
                "same weights fit together: export all of them at once"
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
