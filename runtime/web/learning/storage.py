"""Where predictors of frame rates are kept, and what is checked before one is used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np

from runtime.bundle import write_atomic
from runtime.bundle.decoding import decode_json, read_regular
from runtime.bundle.names import slug
from runtime.errors import DataError, NotFittedError, VersionConflict
from runtime.extras import require
from runtime.web.learning.model import WayModel
from runtime.web.learning.result import WEB_FIT_SCHEMA, WebFit

FOLDER = "web-fit"  # where predictors are kept if no other folder is named
_MOST_BYTES = 64 << 20


def save_web_fit(folder: Path, fit: WebFit, models: Mapping[str, WayModel]) -> Path:
    """Write the summary and the predictors of each way below ``folder``; return the summary's file."""
    from predictors import save_predictor

    stem = _stem(folder, fit.target, fit.kind)
    stem.parent.mkdir(parents=True, exist_ok=True)
    for way, model in models.items():
        write_atomic(_part(stem, way, "rate"), save_predictor(model.rate))
        if model.work is not None:
            write_atomic(_part(stem, way, "work"), save_predictor(model.work))
    fills = {way: model.fills.tolist() for way, model in models.items()}
    has_work = [way for way, model in models.items() if model.work is not None]
    path = stem.with_suffix(".json")
    write_atomic(path, msgspec.json.format(msgspec.json.encode(_Stored(fit, fills, has_work)), indent=1))
    return path


def load_web_fit(folder: Path, target: str, kind: str) -> tuple[WebFit, dict[str, WayModel]]:
    """Return what was learnt of one kind of gesture on ``target``.

    Raises:
        NotFittedError: nothing was.
        VersionConflict: written by another edgekit or scikit-learn.
        DataError: a file is damaged, or is of another target.
    """
    stem = _stem(folder, target, kind)
    path = stem.with_suffix(".json")
    again = "fit again: edgekit fit --kind web RECORDS..."
    if not path.is_file():
        raise NotFittedError(f"{folder} has no predictor of {kind} on {target}; {again}")
    data = read_regular(path, advice=again, error=DataError, most_bytes=_MOST_BYTES)
    version: _Versioned = decode_json(
        data, _Versioned, where=f"{path} is no summary of predictors", advice=again
    )
    if version.fit.schema_version != WEB_FIT_SCHEMA:
        raise VersionConflict(f"{path} was written by another edgekit; {again}")
    stored: _Stored = decode_json(data, _Stored, where=f"{path} is no summary of predictors", advice=again)
    if (stored.fit.target, stored.fit.kind) != (target, kind):
        raise DataError(f"{path} is of {stored.fit.kind} on {stored.fit.target}; {again}")
    require("sklearn", extra="predict")
    require("skops", extra="predict")
    models = {way: _load_way(stem, way, stored, again) for way in stored.fills}
    return stored.fit, models


def _load_way(stem: Path, way: str, stored: _Stored, again: str) -> WayModel:
    from predictors import FrameRate, FrameWork, OnlineFrames

    rate = _load_part(_part(stem, way, "rate"), again)
    work = _load_part(_part(stem, way, "work"), again) if way in stored.has_work else None
    fills = np.array(stored.fills[way], dtype=np.float64)
    if (
        not isinstance(rate, FrameRate | OnlineFrames)
        or not (work is None or isinstance(work, FrameWork))
        or len(fills) != len(stored.fit.names)
    ):
        raise DataError(f"{_part(stem, way, 'rate')} does not go with its summary; {again}")
    return WayModel(way, rate, work, fills, stored.fit.names, stored.fit.clusters)


def _load_part(path: Path, again: str) -> object:
    from predictors import VersionMismatch, load_predictor

    try:
        return load_predictor(read_regular(path, advice=again, error=DataError, most_bytes=_MOST_BYTES))
    except VersionMismatch as err:
        raise VersionConflict(f"{path}: {err}") from err
    except ValueError as err:
        raise DataError(f"{path}: {err}") from err
    except FileNotFoundError as err:
        raise DataError(f"{path} is missing; {again}") from err


class _VersionedFit(msgspec.Struct):
    schema_version: int


class _Versioned(msgspec.Struct):
    fit: _VersionedFit


class _Stored(msgspec.Struct):
    fit: WebFit
    fills: dict[str, list[float]]
    has_work: list[str]


def _stem(folder: Path, target: str, kind: str) -> Path:
    return folder / slug(target) / slug(kind)


def _part(stem: Path, way: str, what: str) -> Path:
    return stem.with_name(f"{stem.name}-{way}-{what}.skops")
