"""What a host and the agent on a device say to each other: frames of msgpack, one answer per request.

Both sides send a ``Beat`` now and then, so that each knows a silent link from a long block of frames.
``Hello``, ``Greeting`` and ``Failed`` never change: they tell two versions that they do not fit.
"""

from __future__ import annotations

import msgspec

from runtime import errors
from runtime.device.actuators import Capability, Restored
from runtime.device.conditions import Conditions
from runtime.device.setting import Setting
from runtime.device.soc import PowerFigure, SocProfile
from runtime.engines import Array, ProfiledFrames, Samples
from runtime.engines.pacing import PacedFrames
from runtime.targets.failed import Failed

PROTOCOL = 4
BEAT_S = 5.0  # one message of a few bytes: nothing that a measurement notices
SILENCE_S = 30.0  # without a sign of life for so long, the other side is taken for gone


class Hello(msgspec.Struct, tag=True, frozen=True):
    """The first request; answered by ``Greeting``."""

    protocol: int
    edgekit: str


class Greeting(msgspec.Struct, tag=True, frozen=True):
    """Which agent this is."""

    protocol: int
    edgekit: str


class Beat(msgspec.Struct, tag=True, frozen=True):
    """A sign of life; not answered."""


class Describe(msgspec.Struct, tag=True, frozen=True):
    """Answered by ``AgentMachine``."""


class AgentMachine(msgspec.Struct, tag=True, frozen=True):
    """The machine that the agent runs on."""

    provenance: str
    profile: SocProfile
    capability: Capability
    energy_note: str
    host: str
    versions: dict[str, str]


class AskSettings(msgspec.Struct, tag=True, frozen=True):
    """Answered by ``Settings``."""

    threads: tuple[int, ...]
    clusters: tuple[str, ...] = ()


class Settings(msgspec.Struct, tag=True, frozen=True):
    """Every setting that can be asked for."""

    settings: tuple[Setting, ...]


class AskPower(msgspec.Struct, tag=True, frozen=True):
    """Answered by ``Power``."""

    setting: Setting


class Power(msgspec.Struct, tag=True, frozen=True):
    """The power under a setting, where it is known."""

    figure: PowerFigure | None


class StartSession(msgspec.Struct, tag=True, frozen=True):
    """Open a session; answered by ``State``.

    ``files`` says where the files of the bundle lie on the device, those that are there.
    """

    session: int
    manifest: bytes
    variant: str
    files: dict[str, str]
    setting: Setting


class ReadBack(msgspec.Struct, tag=True, frozen=True):
    """Answered by ``State``."""

    session: int


class State(msgspec.Struct, tag=True, frozen=True):
    """What a session says of itself now."""

    setting_read: Setting | None
    control_level: str
    versions: dict[str, str]
    device: dict[str, str]
    meter: str | None = None


class AskConditions(msgspec.Struct, tag=True, frozen=True):
    """Answered by ``Now``."""

    session: int
    probe: bool


class Now(msgspec.Struct, tag=True, frozen=True):
    """What the machine does now."""

    conditions: Conditions


class RunFrame(msgspec.Struct, tag=True, frozen=True):
    """Run one frame, on random inputs if there are none; answered by ``RanFrame``."""

    session: int
    inputs: tuple[Array, ...] | None


class RanFrame(msgspec.Struct, tag=True, frozen=True):
    """One frame."""

    latency_ms: float
    outputs: tuple[Array, ...] | None


class RunPaced(msgspec.Struct, tag=True, frozen=True):
    """Release ``frames`` frames at ``fps``, the first ones on ``inputs``; answered by ``RanPaced``."""

    session: int
    inputs: tuple[tuple[Array, ...], ...]
    frames: int
    fps: float | None


class RanPaced(msgspec.Struct, tag=True, frozen=True):
    """What became of the frames, by the device's own clock."""

    frames: PacedFrames


class TakeSamples(msgspec.Struct, tag=True, frozen=True):
    """Time frames, back to back or at a pace; answered by ``Taken``."""

    session: int
    warmup: int
    runs: int
    fps: float | None


class Taken(msgspec.Struct, tag=True, frozen=True):
    """Timed frames."""

    samples: Samples


class TakeProfile(msgspec.Struct, tag=True, frozen=True):
    """Run frames under the engine's profiler; answered by ``ProfileTaken``."""

    session: int
    warmup: int
    runs: int


class ProfileTaken(msgspec.Struct, tag=True, frozen=True):
    """The ops of each frame."""

    frames: ProfiledFrames


class Close(msgspec.Struct, tag=True, frozen=True):
    """Leave a session; answered by ``Done`` once everything is as it was."""

    session: int


class UseMeter(msgspec.Struct, tag=True, frozen=True):
    """Take another energy meter from now on; answered by ``AgentMachine``."""

    wanted: str


class AskRestore(msgspec.Struct, tag=True, frozen=True):
    """Restore what killed runs left; answered by ``Done``."""

    dry_run: bool


class Done(msgspec.Struct, tag=True, frozen=True):
    """It is done; ``restored`` says what, after ``AskRestore``."""

    restored: tuple[Restored, ...] = ()


Request = (
    Hello
    | Beat
    | Describe
    | AskSettings
    | AskPower
    | StartSession
    | ReadBack
    | AskConditions
    | RunFrame
    | RunPaced
    | TakeSamples
    | TakeProfile
    | Close
    | UseMeter
    | AskRestore
)
Answer = (
    Greeting
    | Beat
    | AgentMachine
    | Settings
    | Power
    | State
    | Now
    | RanFrame
    | RanPaced
    | Taken
    | ProfileTaken
    | Done
    | Failed
)

CATCHABLE = (errors.EdgekitError, ValueError, TypeError, OSError, RuntimeError)
