"""The machine that a browser runs on: this one, or one that is looked at from here."""

from __future__ import annotations

from dataclasses import dataclass, field

from runtime.web.browser.display import Display, Headless
from runtime.web.browser.thread_times import ReadThreads, read_threads


@dataclass(frozen=True)
class Host:
    """Where a browser runs.

    Attributes:
        read_threads: reads its threads there.
        display: that it shows pages on.
        is_remote: the machine is another one, with a clock of its own.
    """

    read_threads: ReadThreads = read_threads
    display: Display = field(default_factory=Headless)
    is_remote: bool = False


HERE = Host()
