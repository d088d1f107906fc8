"""How frames are to be governed, as a user asks for it, and the command line that asks for the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from runtime.govern.governor.plan import VariableLoad


@dataclass(frozen=True)
class GovernOptions:
    """What ``edgekit govern`` takes, by the names of its options; ``None`` leaves a choice to the policy.

    Attributes:
        target: where the frames run.
        fps: of the frames; default: the policy's.
        late: share of frames that may be late; default: 1 %.
        max_temp_c: that the hottest CPU zone should not pass.
        variable_load: learn how the work of frames varies, and change clocks within them.
        max_queued, miss_penalty: as ``VariableLoad`` takes them, which they need.
        frames: of the bundle's own, to run where there is no program.
        socket: where to serve; default: beside the journal, or in a folder that lives as long as the program.
        policy_target: follow the policy that was made for this target.
        log: file to write each frame to.
        called: name of this machine on the host that began the run.
        meter: as ``runtime.device.meters.find_meter`` takes it.

    Raises:
        ValueError: options that do not go together, or are out of range.

    Example:
        >>> GovernOptions(fps=30.0, variable_load=True, max_queued=1).command_line(None, ["game"])
        ['govern', '--target=local', '--fps=30.0', '--variable-load', '--max-queued=1', '--', 'game']
    """

    target: str = "local"
    fps: float | None = None
    late: float | None = None
    max_temp_c: float | None = None
    variable_load: bool = False
    max_queued: int | None = None
    miss_penalty: float | None = None
    frames: int | None = None
    socket: Path | None = None
    policy_target: str | None = None
    log: Path | None = None
    called: str | None = None
    meter: str | None = None

    def __post_init__(self) -> None:
        if not self.variable_load and (self.max_queued is not None or self.miss_penalty is not None):
            raise ValueError("--max-queued and --miss-penalty need --variable-load")
        if self.miss_penalty is not None and self.late is not None:
            raise ValueError(
                "--miss-penalty is what a late frame costs, --late how many there may be; give one of them"
            )
        _ = self.load

    @property
    def load(self) -> VariableLoad | None:
        """How frames of varying work are governed; ``None``: all frames alike."""
        if not self.variable_load:
            return None
        return VariableLoad(self.max_queued or 0, self.miss_penalty)

    def command_line(
        self, bundle: str | None, command: Sequence[str], flags: Sequence[str] = ()
    ) -> list[str]:
        """Return the words after ``edgekit`` that govern the same, where ``target`` is.

        Args:
            bundle: its folder there.
            flags: further ones, such as ``--json``.
        """
        words = ["govern"]
        for field in fields(self):
            name, value = f"--{field.name.replace('_', '-')}", getattr(self, field.name)
            if value is not None and value is not False:
                words.append(name if value is True else f"{name}={value}")
        words += flags
        if bundle is not None:
            words.append(bundle)
        return [*words, "--", *command] if command else words
