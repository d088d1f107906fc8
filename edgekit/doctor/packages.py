"""Installed packages against what our own metadata asks for; nothing heavy is imported."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from edgekit.doctor.check import Check
from runtime import extras

_REQUIREMENT = re.compile(r"([A-Za-z0-9_.-]+)\s*(?:\[[^]]*\])?\s*([^;]*?)\s*(?:;.*)?")
VersionOf = Callable[[str], str | None]
_NOT_FOR_USERS = ("all", "dev")


@dataclass(frozen=True)
class Requirement:
    """What our metadata asks for: ``name`` with ``clauses`` such as ``==2.13.0``, for an extra or not."""

    name: str
    clauses: str
    extra: str | None

    def accepts(self, version: str) -> bool:
        """Return whether ``version`` fulfils every clause; a local part such as ``+cpu`` is ignored."""
        have = _numbers(version)
        for clause in filter(None, self.clauses.split(",")):
            operator, want = re.match(r"\s*([<>=!~]+)\s*(.*)", clause).groups()  # type: ignore[union-attr]
            fits = {
                "==": have == _numbers(want),
                ">=": have >= _numbers(want),
                "<": have < _numbers(want),
            }[operator]
            if not fits:
                return False
        return True


def requirements() -> list[Requirement]:
    """Return what the installed edgekit's metadata asks for."""
    return [parse_requirement(line, extra) for line, extra in extras.requirements()]


def parse_requirement(line: str, extra: str | None = None) -> Requirement:
    """Return the parts of a requirement such as ``torch==2.13.0``.

    Raises:
        ValueError: it is none.
    """
    match = _REQUIREMENT.fullmatch(line.strip())
    if match is None:
        raise ValueError(f"{line!r} is not a requirement; expected NAME VERSION")
    return Requirement(match[1], match[2], extra)


def installed_version(name: str) -> str | None:
    """Return the version of distribution ``name``, or ``None`` when it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def check_packages(_root: Path, version_of: VersionOf = installed_version) -> tuple[Check, ...]:
    """Compare each required package that is installed, and each of the base, with what is asked."""
    found: dict[str, Check] = {}
    for need in requirements():
        if need.extra in _NOT_FOR_USERS or need.name == extras.DISTRIBUTION:
            continue
        version = version_of(need.name)
        if version is None and need.extra is not None:
            continue  # shown under its extra
        found.setdefault(need.name, _compare(need, version))
    return tuple(found.values())


def check_extras(_root: Path, version_of: VersionOf = installed_version) -> tuple[Check, ...]:
    """Say for each extra whether it is there, or the line that installs it."""
    wanted: dict[str, list[Requirement]] = {}
    for need in requirements():
        if need.extra is not None and need.extra not in _NOT_FOR_USERS:
            wanted.setdefault(need.extra, []).append(need)
    checks = []
    for extra, needs in wanted.items():
        lacking = [need.name for need in needs if version_of(need.name) is None]
        if lacking:
            lacks = f"lacks {', '.join(lacking)}"
            checks.append(Check(f"[{extra}]", "missing", lacks, extras.install_line(extra)))
        else:
            checks.append(Check(f"[{extra}]", "ok", ", ".join(need.name for need in needs)))
    return tuple(checks)


def _compare(need: Requirement, version: str | None) -> Check:
    if version is None:
        return Check(need.name, "broken", "not installed, edgekit needs it", extras.install_line())
    if need.accepts(version):
        return Check(need.name, "ok", version)
    hint = extras.install_line(*filter(None, [need.extra]))
    return Check(need.name, "warn", f"{version}, known to work: {need.clauses}", hint)


def _numbers(version: str) -> tuple[int, ...]:
    release = re.match(r"\d+(?:\.\d+)*", version)
    if release is None:
        raise ValueError(f"{version!r} is not a version number; expected digits and dots")
    numbers = [int(part) for part in release.group().split(".")]
    while numbers and numbers[-1] == 0:  # 2.13 is 2.13.0
        numbers.pop()
    return tuple(numbers)
