"""Read SoC profiles: the ones that come with edgekit, or a user's own TOML file or YAML table."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Sequence
from dataclasses import fields, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from runtime.bundle.decoding import decode_toml, read_regular, why
from runtime.device.soc.cores import core_notes
from runtime.device.soc.generic import EXAMPLE, PREFIX, generic_profile
from runtime.device.soc.profile import Cluster, Opp, SocProfile
from runtime.device.soc.screening import screen
from runtime.device.soc.yaml_table import parse_yaml
from runtime.errors import DataError

PROFILE_SUFFIXES = (".toml", ".yaml", ".yml")
_FOLDER = files("runtime.device.soc") / "profiles"


def list_profiles() -> list[str]:
    """Return the names of the profiles that come with edgekit, sorted."""
    names = [entry.name for entry in _FOLDER.iterdir()]
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def load_profile(name_or_path: str | Path) -> SocProfile:
    """Return a profile by name, or from a file of your own.

    Rows that cannot be true are taken out of the power table and listed in ``left_out`` and
    ``notes``; see ``runtime.device.soc.screening``.

    Args:
        name_or_path: a name out of ``list_profiles()``, a path ending in ``.toml``, a table ending in
            ``.yaml`` (its form: ``runtime.device.soc.yaml_table``), or cores by type
            (``runtime.device.soc.generic``).

    Raises:
        ValueError: no such name; near matches are named.
        DataError: the file is missing, not TOML or YAML, or does not describe a SoC.

    Example:
        >>> [cluster.name for cluster in load_profile("gs101").clusters]
        ['little', 'mid', 'big']
    """
    text = str(name_or_path)
    if text.endswith(".toml"):
        path = Path(name_or_path)
        try:
            data = read_regular(path, advice="give a TOML file", error=DataError)
        except (OSError, ValueError) as err:  # ValueError: a zero in the path
            raise DataError(f"cannot read the profile {path} ({why(err)}); give a TOML file") from err
        return _parse(data, path.name)
    if text.endswith(PROFILE_SUFFIXES):
        return _screened(parse_yaml(Path(name_or_path)))
    if text.startswith(PREFIX):
        return _screened(generic_profile(text))
    return _built_in(text)


@functools.cache
def _built_in(name: str) -> SocProfile:
    if name not in list_profiles():
        near = difflib.get_close_matches(name, list_profiles(), n=3, cutoff=0.4)
        hint = f"did you mean {', '.join(near)}?" if near else f"known: {', '.join(list_profiles())}"
        raise ValueError(
            f"unknown SoC {name!r}; {hint} (your own file: .toml or .yaml; by its cores: {EXAMPLE})"
        )
    return _parse((_FOLDER / f"{name}.toml").read_bytes(), f"{name}.toml")


def _parse(data: bytes, where: str) -> SocProfile:
    raw = decode_toml(data, where=f"{where} is not valid TOML", advice="what is not known is left out")
    _refuse_unknown_keys(raw, where)
    try:
        profile = msgspec.convert(raw, SocProfile)
    except (msgspec.ValidationError, OverflowError, RecursionError) as err:
        raise DataError(
            f"{where} is not a SoC profile ({why(err)}); see runtime/device/soc/profiles/ for examples"
        ) from err
    for cluster in profile.clusters:
        if not cluster.opps:
            raise DataError(f"{where}: cluster {cluster.name!r} has no opps; give at least one freq_khz")
    return _screened(profile)


def _screened(profile: SocProfile) -> SocProfile:
    """Return the profile without the powers that cannot be true, each named in its notes."""
    screened = [screen(cluster) for cluster in profile.clusters]
    left_out = profile.left_out + tuple(row for _, rows in screened for row in rows)
    notes = tuple(
        f"left out: {row.cluster} {row.freq_khz / 1000:g} MHz at {row.power_mw:g} mW ({row.reason})"
        for row in left_out
    )
    clusters = tuple(cluster for cluster, _ in screened)
    notes = (*profile.notes, *core_notes(clusters), *_power_notes(clusters), *notes)
    return replace(profile, clusters=clusters, left_out=left_out, notes=notes)


def _power_notes(clusters: Sequence[Cluster]) -> tuple[str, ...]:
    """Return what the tables of power hold, and what is assumed of those that do not say."""
    said: dict[str, list[str]] = {}
    for cluster in clusters:
        if cluster.power_kind and cluster.power_basis:
            how = ", ".join(filter(None, (cluster.power_method, cluster.power_file)))
            said.setdefault(f"{cluster.power_kind} at the {cluster.power_basis}; {how}", []).append(
                cluster.name
            )
        elif any(opp.power_mw for opp in cluster.opps):
            basis = next((each.power_basis for each in clusters if each.power_basis), "battery")
            words = (
                f"assumed net of the idle device, at the {basis}; say otherwise with power_kind (net, gross) "
                "and power_basis (battery, rail, board)"
            )
            said.setdefault(words, []).append(cluster.name)
    return tuple(f"power of {', '.join(names)}: {words}" for words, names in said.items())


def _refuse_unknown_keys(raw: dict[str, Any], where: str) -> None:
    """Raise ``DataError`` at a misspelt key: a ``power`` that nobody reads would be lost in silence."""
    tables: list[tuple[object, type]] = [(raw, SocProfile)]
    for cluster in _tables(raw, "clusters"):
        tables += [(cluster, Cluster), *((opp, Opp) for opp in _tables(cluster, "opps"))]
    for table, kind in tables:
        allowed = {field.name for field in fields(kind)} - {"left_out", "members"}
        if isinstance(table, dict) and (unknown := sorted(table.keys() - allowed)):
            raise DataError(f"{where} has a key {unknown[0]!r}; allowed there: {', '.join(sorted(allowed))}")


def _tables(table: object, key: str) -> list[object]:
    rows = table.get(key) if isinstance(table, dict) else None
    return rows if isinstance(rows, list) else []
