"""One finding, a section of them, and the whole diagnosis."""

from __future__ import annotations

from dataclasses import dataclass

STATES = ("ok", "warn", "missing", "broken")


@dataclass(frozen=True)
class Check:
    """One finding.

    Attributes:
        name: what was looked at.
        state: ``ok``; ``warn``: there, but not as it should be; ``missing``: not there, which may
            be fine; ``broken``: edgekit cannot work.
        value: what was found, for people.
        hint: what to do, where something can be done.
    """

    name: str
    state: str
    value: str
    hint: str | None = None

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise ValueError(f"state is {self.state!r}; allowed: {', '.join(STATES)}")


@dataclass(frozen=True)
class Section:
    """Findings about one matter."""

    title: str
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class Diagnosis:
    """Everything found on this machine."""

    version: str
    sections: tuple[Section, ...]

    @property
    def is_broken(self) -> bool:
        """Whether edgekit cannot work here at all."""
        return any(check.state == "broken" for section in self.sections for check in section.checks)
