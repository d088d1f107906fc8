"""Where pages are drawn and measured: what a run asks of this machine, and of a phone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from runtime.device.conditions import Conditions
from runtime.device.meters import EnergyReading
from runtime.device.setting import Setting
from runtime.device.soc import SocProfile
from runtime.targets.local import HeldSetting
from runtime.web.browser.connection import Connection
from runtime.web.browser.display import Display
from runtime.web.browser.page import Page
from runtime.web.interaction.job import WebJob
from runtime.web.interaction.subject import Subject

T = TypeVar("T")


class Machine(Protocol):
    """A machine with a browser.

    Attributes:
        name: of its target.
        provenance: as records have it.
        profile: its clusters and clocks.
        device: name, soc, arch, kernel and os.
        kernel: as records have it; runs on another one are not these.
        is_remote: it has a clock of its own.
        remarks: what records are to say of every run here.
    """

    name: str
    provenance: str
    profile: SocProfile
    device: dict[str, str]
    kernel: str
    is_remote: bool
    remarks: tuple[str, ...]

    @property
    def display(self) -> Display:
        """The display that pages are shown on."""

    @property
    def energy_note(self) -> str:
        """Why there is no energy where no meter gives it."""

    def settings(self) -> tuple[Setting, ...]:
        """Return every setting of one thread that can be held, or is all that there is."""

    def browser(self, job: WebJob) -> AbstractContextManager[Connection]:
        """Have a browser within the block.

        Raises:
            WebError: there is none.
            DeviceError: the machine is gone.
        """

    def load(self, connection: Connection, url: str, name: str, job: WebJob) -> Subject:
        """Open a page and wait until it has settled; whoever asked closes it.

        Raises:
            PageError: it cannot be loaded.
            WebError: the browser is gone.
        """

    def lost(self, err: Exception) -> str:
        """Return what a user is told where the browser went, and is asked for again.

        Raises:
            DeviceError: the machine went, too.
        """

    def placed(self, subject: Subject, setting: Setting) -> AbstractContextManager[HeldSetting]:
        """Run the processes that draw a page on ``setting`` within the block, as far as the machine lets.

        Raises:
            ValueError: no such cluster or clock.
            DeviceError, PermissionNeeded: the machine cannot do it.
        """

    def check(self, page: Page) -> None:
        """Raise unless what the page draws is seen.

        Raises:
            DeviceError: the display is dark, or another program has it.
        """

    def clock_ahead_s(self, page: Page) -> float:
        """Return by how much the clock of traces is ahead of this machine's monotonic one."""

    def read_khz(self, held: HeldSetting) -> int | None:
        """Return the clock of a held setting in kHz as it is now."""

    def conditions(self, subject: Subject, held: HeldSetting, *, probe: bool = False) -> Conditions:
        """Return what the machine does now; the page's own work and the browser's help are nobody else's."""

    def probe_ms(self, held: HeldSetting | None = None) -> float | None:
        """Return what a fixed piece of work takes on a held setting, or on none; ``None``: it cannot run."""

    def metered(self, work: Callable[[], T]) -> tuple[T, EnergyReading | None]:
        """Do ``work``; return its result and energy, ``None`` without a meter."""
