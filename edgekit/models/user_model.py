"""Networks of the user to train: a function in a Python file, as a ``ModelSpec`` names it.

The function takes nothing, or any of ``num_classes``, ``in_channels`` and ``image_size``, which the
data decide. It returns a network that turns images, shape (B, C, H, W), into logits, shape
(B, classes); from a pair of a module and its inputs, as an export takes it, the module is trained.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from edgekit.models.spec import ModelSpec
from edgekit.models.unwrap import unwrap, unwrap_parts
from edgekit.models.user_code import run_user_code, run_user_file, split_user_model
from runtime.bundle.digest import file_sha256
from runtime.errors import CheckpointError

_IMAGES = 2  # batch norm needs as many to train


def pin(spec: ModelSpec) -> ModelSpec:
    """Return ``spec`` with the whole path and the sha256 of the user's file, if it is of one.

    Raises:
        ValueError: there is no such file.
    """
    if not spec.is_own or spec.file_sha256 is not None:
        return spec
    path, function = split_user_model(spec.name)
    if not path.is_file():
        raise ValueError(f"there is no file at {path}; give path/to/file.py:function")
    name = f"{path.resolve()}:{function}" if function else str(path.resolve())
    return replace(spec, name=name, file_sha256=file_sha256(path))


def build_user_model(spec: ModelSpec) -> nn.Module:
    """Return the network that the user's file makes, in training mode.

    Raises:
        ValueError: there is no such file or function, or what it makes is no classifier of ``spec``.
        ExportError: the user's code fails; says in which line.
        CheckpointError: the file is another one than ``spec`` says.
    """
    path, _ = split_user_model(spec.name)
    _refuse_changed(path, spec.file_sha256)
    offered = {name: getattr(spec, name) for name in ("num_classes", "in_channels", "image_size")}
    model = _network(run_user_file(spec.name, offered).made, spec.label)
    unwrap_parts(model)
    model.cpu().eval()  # lazy layers get their sizes by the first run, which batch norm shall not see
    _check(model, spec, path)
    _check(copy.deepcopy(model).train(), spec, path)
    return model.train()


def _refuse_changed(path: Path, sha256: str | None) -> None:
    if sha256 is None:
        return
    if not path.is_file():
        raise CheckpointError(
            f"there is no file at {path}, which makes the network (sha256 {sha256[:12]}...); "
            "put it there again"
        )
    now = file_sha256(path)
    if now != sha256:
        raise CheckpointError(
            f"{path} has changed since the network was trained: its sha256 is {now[:12]}..., was "
            f"{sha256[:12]}...; restore the file, or train again with the new one"
        )


def _network(made: Any, label: str) -> nn.Module:
    part = next(iter(made.values())) if isinstance(made, Mapping) and len(made) == 1 else made
    model = part[0] if isinstance(part, tuple) and len(part) == 2 else part
    if not isinstance(model, nn.Module):
        got = f"{len(made)} graphs" if isinstance(made, Mapping) else type(model).__name__
        raise ValueError(f"{label} returns {got}; return the one torch.nn.Module that is to be trained")
    return unwrap(model)


def _check(model: nn.Module, spec: ModelSpec, path: Path) -> None:
    """Refuse a network that does not classify images as ``spec`` says."""
    shape = (_IMAGES, spec.in_channels, spec.image_size, spec.image_size)
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        got = run_user_code(path, partial(model, torch.zeros(shape)), f"forward of images {shape}")
    wanted = (_IMAGES, spec.num_classes)
    if not isinstance(got, torch.Tensor) or got.shape != wanted:
        is_tensor = isinstance(got, torch.Tensor)
        given = f"a tensor of shape {tuple(got.shape)}" if is_tensor else type(got).__name__
        raise ValueError(
            f"{spec.label} makes {given} of {_IMAGES} images; these data have {spec.num_classes} classes: "
            f"let forward return logits of shape {wanted}; a function that takes num_classes is given it"
        )
