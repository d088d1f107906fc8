"""Checkpoints: a folder with the weights (safetensors) and everything needed to use them (JSON)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import nn

from edgekit.models import ModelSpec
from edgekit.models.surgery.kernels import KernelPlan
from edgekit.models.surgery.plan import ChannelPlan
from edgekit.models.surgery.planned import as_planned, proof_input
from edgekit.tasks import StoredTask, Task, stored_task, task_of
from edgekit.training.weights import load_weights, plain_tensors
from runtime._version import __version__
from runtime.bundle import ImageSpec, write_atomic
from runtime.bundle.decoding import decode_json, read_regular, why
from runtime.errors import CheckpointError, VersionConflict

CHECKPOINT_FILE = "checkpoint.json"
WEIGHTS_FILE = "weights.safetensors"
SCHEMA_VERSION = 1
_ANY_BYTES = 256 << 20  # of a network, whatever its weights
_MOST_PRUNED = 64  # times smaller may pruning have made it


@dataclass(frozen=True)
class Checkpoint:
    """A trained model on disk.

    Attributes:
        path: its folder.
        spec: the model before any pruning; ``plan`` says which channels were removed since, and ``kernels``
            which kernels were cut.
        dataset, image, labels: what it was trained on, how images become inputs if it takes any, class names.
        recipe: of the training it comes from.
        metrics: such as ``test_top1``.
        pruning: how it was pruned since, with cost and accuracy before and after.
        task: what it is for; ``None``: classification.
        placement: how the layers of ``spec.dynamic_at`` were chosen, with each one's measured cost.
        run: all that decided the result; a run that is resumed must be of the same.

    Example:
        >>> checkpoint = load_checkpoint("runs/digits")   # doctest: +SKIP
        >>> model = checkpoint.build()                    # doctest: +SKIP
    """

    path: Path
    spec: ModelSpec
    plan: ChannelPlan | None
    dataset: str
    image: ImageSpec | None
    labels: tuple[str, ...]
    recipe: dict[str, Any]
    metrics: dict[str, float]
    pruning: dict[str, Any] | None = None
    placement: dict[str, Any] | None = None
    run: dict[str, Any] | None = None
    kernels: KernelPlan | None = None
    task: StoredTask | None = None

    @property
    def sha256(self) -> str:
        """Hash of ``checkpoint.json``, which holds the weights' hash: it stands for all of the checkpoint."""
        return hashlib.sha256((self.path / CHECKPOINT_FILE).read_bytes()).hexdigest()

    @property
    def pictures(self) -> ImageSpec:
        """How images become inputs.

        Raises:
            CheckpointError: the network takes none.
        """
        if self.image is None:
            raise CheckpointError(f"{self.path} takes no pictures and cannot be pruned; export it as it is")
        return self.image

    def make_task(self) -> Task:
        """Return the task it was trained for.

        Raises:
            CheckpointError: no such task is installed.
        """
        try:
            return task_of(self.task)
        except ValueError as err:
            raise CheckpointError(
                f"the task of {self.path} cannot be made ({err}); install the package that brings it"
            ) from err

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the weights, ready for JSON."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "path"}
        return {"path": str(self.path), "sha256": self.sha256, **msgspec.to_builtins(fields)}

    def build(self) -> nn.Module:
        """Return the network with its weights, pruned as ``plan`` says, in eval mode.

        Raises:
            CheckpointError: the weights were changed, or belong to another model.
            PruneError: the channel or kernel plan is not of this model.
        """
        document = _read_document(self.path)
        task = self.make_task()
        tensors = _read_weights(self.path, document)
        if not self.spec.is_own:  # what the user's own code makes is as large as it likes
            _check_size(task, self.spec, sum(map(_size_bytes, tensors.values())), self.path)
        model = task.build(self.spec).eval()
        if self.plan or self.kernels:
            model = as_planned(model, self.plan, self.kernels, proof_input(self.pictures))
        load_weights(model, tensors, str(self.path))
        return model.eval()


@dataclass(frozen=True)
class _Document:
    """``checkpoint.json``."""

    spec: ModelSpec
    plan: ChannelPlan | None
    dataset: str
    image: ImageSpec | None
    labels: tuple[str, ...]
    recipe: dict[str, Any]
    metrics: dict[str, float]
    pruning: dict[str, Any] | None
    weights_sha256: str
    created_utc: str
    versions: dict[str, str] = field(default_factory=dict)
    placement: dict[str, Any] | None = None
    run: dict[str, Any] | None = None
    kernels: KernelPlan | None = None
    task: StoredTask | None = None
    schema_version: int = SCHEMA_VERSION


def save_checkpoint(
    path: str | Path,
    model: nn.Module,
    *,
    spec: ModelSpec,
    dataset: str,
    image: ImageSpec | None,
    labels: tuple[str, ...],
    recipe: dict[str, Any],
    metrics: dict[str, float],
    plan: ChannelPlan | None = None,
    pruning: dict[str, Any] | None = None,
    placement: dict[str, Any] | None = None,
    run: dict[str, Any] | None = None,
    kernels: KernelPlan | None = None,
    task: Task | None = None,
) -> Checkpoint:
    """Write a checkpoint into the folder ``path``, which may hold the run's other files.

    The weights come first and ``checkpoint.json`` last: a folder without it is no checkpoint, so a
    crash never leaves half of one.

    Raises:
        CheckpointError: there is one already.
    """
    folder = Path(path)
    if (folder / CHECKPOINT_FILE).exists():
        raise CheckpointError(f"{folder} holds a checkpoint already; choose another --out or remove it")
    folder.mkdir(parents=True, exist_ok=True)
    weights = save(plain_tensors(model.state_dict()))
    document = _Document(
        spec=spec,
        plan=plan,
        dataset=dataset,
        image=image,
        labels=tuple(labels),
        recipe=recipe,
        metrics=metrics,
        pruning=pruning,
        weights_sha256=hashlib.sha256(weights).hexdigest(),
        created_utc=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        versions={"edgekit": __version__, "torch": str(torch.__version__)},
        placement=placement,
        run=run,
        kernels=kernels,
        task=None if task is None else stored_task(task),
    )
    write_atomic(folder / WEIGHTS_FILE, weights)
    write_atomic(folder / CHECKPOINT_FILE, msgspec.json.format(msgspec.json.encode(document), indent=1))
    return _checkpoint(folder, _read_document(folder))  # what every later reader gets


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Open the checkpoint in the folder ``path`` and check its weights' sha256.

    Raises:
        CheckpointError: there is none, or it is damaged.
        VersionConflict: a newer edgekit wrote it.
    """
    folder = Path(path)
    document = _read_document(folder)
    _read_weights(folder, document)
    return _checkpoint(folder, document)


def _checkpoint(folder: Path, document: _Document) -> Checkpoint:
    return Checkpoint(
        path=folder,
        spec=document.spec,
        plan=document.plan,
        dataset=document.dataset,
        image=document.image,
        labels=document.labels,
        recipe=document.recipe,
        metrics=document.metrics,
        pruning=document.pruning,
        placement=document.placement,
        run=document.run,
        kernels=document.kernels,
        task=document.task,
    )


def _read_document(folder: Path) -> _Document:
    path = folder / CHECKPOINT_FILE
    if not path.is_file():
        raise CheckpointError(
            f"{folder} is not a checkpoint (no {CHECKPOINT_FILE}); make one with: edgekit train"
        )
    advice = "copy or train the checkpoint again"
    data = read_regular(path, advice=advice, error=CheckpointError)
    raw: Any = decode_json(data, where=f"{path} is not valid JSON", advice=advice, error=CheckpointError)
    version = raw.get("schema_version") if isinstance(raw, dict) else None
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise VersionConflict(
            f"{path} has schema version {version}; this edgekit reads up to {SCHEMA_VERSION}; upgrade edgekit"
        )
    try:
        document = msgspec.convert(raw, _Document)
    except msgspec.ValidationError as err:
        raise CheckpointError(
            f"{path} does not fit its schema: {err}; copy or train the checkpoint again"
        ) from err
    if document.spec.is_own and not (document.spec.file_sha256 and Path(document.spec.name).is_absolute()):
        raise CheckpointError(
            f"{path} names the file {document.spec.name!r} without its folder or its sha256; train it again"
        )
    return document


def _read_weights(folder: Path, document: _Document) -> dict[str, torch.Tensor]:
    path = folder / WEIGHTS_FILE
    if not path.is_file():
        raise CheckpointError(f"{folder} lacks {WEIGHTS_FILE}; copy or train the checkpoint again")
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != document.weights_sha256:
        raise CheckpointError(
            f"{path} does not match its sha256: it was changed; copy or train the checkpoint again"
        )
    try:
        return load(data)
    except SafetensorError as err:
        raise CheckpointError(
            f"{path} is not a safetensors file ({err}); train the checkpoint again"
        ) from err


def _check_size(task: Task, spec: ModelSpec, weights_bytes: int, where: Path) -> None:
    """Refuse a network that is far larger than its weights, before memory is asked for.

    Raises:
        CheckpointError: it is.
    """
    try:
        with torch.device("meta"):  # shapes alone
            size_bytes = sum(map(_size_bytes, task.build(spec).state_dict().values()))
    except (RuntimeError, OverflowError, TypeError) as err:
        raise CheckpointError(
            f"{where} describes no network that can be ({why(err)}); train it again"
        ) from err
    most_bytes = max(_ANY_BYTES, _MOST_PRUNED * weights_bytes)
    if size_bytes > most_bytes:
        raise CheckpointError(
            f"{where} describes a network of {size_bytes} bytes, its weights have {weights_bytes}; at most "
            f"{most_bytes} are believed: use the weights that belong to it"
        )


def _size_bytes(tensor: torch.Tensor) -> int:
    return tensor.numel() * tensor.element_size()
