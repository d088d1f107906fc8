"""The last profile of each variant on each target, kept in the bundle so that a report can show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import msgspec

from runtime.bundle import Bundle, decode_file, write_atomic
from runtime.bundle.figures import check_figures
from runtime.bundle.names import slug
from runtime.errors import DataError
from runtime.measure.profiling.profile import Profile


@dataclass(frozen=True)
class KeptProfile:
    """A profile with the hash of the model file it is of, so that it never passes for another file's."""

    model_sha256: str
    created_utc: str
    profile: Profile

    def __post_init__(self) -> None:
        for part in (self.profile, *self.profile.ops):
            check_figures(part)


def keep_profile(bundle: Bundle, profile: Profile) -> Path:
    """Keep ``profile`` as the last one of its variant and target, and return where it lies.

    Like records and runs it is not in the manifest: it is remade at any time.

    Args:
        bundle: a bundle on the disk, no bare model file.

    Raises:
        DataError: the bundle's folder cannot be written.
    """
    variant = bundle.manifest.variant(profile.variant)
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    kept = KeptProfile(bundle.sha256(variant.path), now, profile)
    path = _path(bundle, profile.target, variant.name)
    try:
        path.parent.mkdir(exist_ok=True)
        write_atomic(path, msgspec.json.encode(kept))
    except OSError as err:
        why = f"{path} cannot be written ({err.strerror})"
        raise DataError(f"{why}; copy the bundle to where you may write") from err
    return path


def load_profiles(bundle: Bundle, target: str) -> list[KeptProfile]:
    """Return the last profile of each variant on ``target``, of the bundle's files as they are now.

    Raises:
        BundleError: a file does not fit its schema.
    """
    found = []
    for variant in bundle.manifest.variants:
        path = _path(bundle, target, variant.name)
        if path.is_file():
            kept = decode_file(path, KeptProfile)
            if kept.model_sha256 == bundle.sha256(variant.path):
                found.append(kept)
    return found


def _path(bundle: Bundle, target: str, variant: str) -> Path:
    return bundle.path / "profiles" / f"{slug(target)}.{slug(variant)}.json"
