"""A machine reached through an agent that runs on it."""

from __future__ import annotations

import contextlib
import itertools
import weakref
from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar

from runtime.bundle import Bundle, Variant
from runtime.device.actuators import Restored
from runtime.device.conditions import Conditions
from runtime.device.meters.reading import EnergyReading
from runtime.device.setting import Setting
from runtime.device.soc import PowerFigure
from runtime.engines import Array, Frame, ProfiledFrames, Samples, Tensor
from runtime.engines.pacing import PacedFrames
from runtime.errors import DeviceTransientError, EdgekitError
from runtime.targets.agent import messages as m
from runtime.targets.agent.link import Connection, Link

A = TypeVar("A")
_MOST_FIGURE = 1e12  # mJ or mW
_MOST_MS = 1e12  # 30 years for a frame: no machine's


class Store(Protocol):
    """Where the files of bundles lie on the device."""

    def place(self, bundle: Bundle, paths: Sequence[str]) -> dict[str, str]:
        """Return where these files of ``bundle`` lie on the device, after sending those it lacks.

        Raises:
            DeviceError: they cannot be sent.
        """


class SameDisk:
    """The store of an agent that sees the same files as the host."""

    def place(self, bundle: Bundle, paths: Sequence[str]) -> dict[str, str]:
        return {path: str(bundle.file(path).resolve()) for path in paths}


class AgentTarget:
    """The machine that an agent serves; see ``Target``.

    Args:
        name: as ``open_target`` takes it.
        connection: to a freshly started ``python -m runtime.targets.agent``.
        store: brings the files of bundles to the device.

    Raises:
        DeviceTransientError: nobody answers.
        VersionConflict: another version of edgekit answers.
    """

    is_modelled = False
    returns_outputs = True

    def __init__(self, name: str, connection: Connection, store: Store):
        self.name = name
        self._link = Link(connection, name)
        self._store = store
        self._numbers = itertools.count()
        self._powers: dict[Setting, PowerFigure | None] = {}
        weakref.finalize(self, self._link.close)
        self.machine = self._ask(m.Describe(), m.AgentMachine)
        self.provenance = self.machine.provenance
        self.profile = self.machine.profile
        self.capability = self.machine.capability
        self.energy_note = self.machine.energy_note

    def settings(self, threads: Sequence[int] = (1,), clusters: Sequence[str] = ()) -> tuple[Setting, ...]:
        return self._ask(m.AskSettings(tuple(threads), tuple(clusters)), m.Settings).settings

    def power(self, setting: Setting) -> PowerFigure | None:
        if setting not in self._powers:
            self._powers[setting] = self._ask(m.AskPower(setting), m.Power).figure
        return self._powers[setting]

    def use_meter(self, wanted: str) -> None:
        """Have the device take another energy meter; see ``runtime.device.meters.find_meter``."""
        self.energy_note = self._ask(m.UseMeter(wanted), m.AgentMachine).energy_note

    def restore(self, *, dry_run: bool = False) -> list[Restored]:
        """Restore what killed runs left changed on the device; see ``runtime.device.actuators.restore``."""
        return list(self._ask(m.AskRestore(dry_run), m.Done).restored)

    def close(self) -> None:
        """End the agent."""
        self._link.close()

    def __enter__(self) -> AgentTarget:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @contextlib.contextmanager
    def session(self, bundle: Bundle, variant: Variant, setting: Setting) -> Iterator[AgentSession]:
        files = self._store.place(
            bundle, [path for path in (variant.path, variant.workload) if path is not None]
        )
        number = next(self._numbers)
        manifest = bundle.manifest.to_json()
        state = self._ask(m.StartSession(number, manifest, variant.name, files, setting), m.State)
        try:
            yield AgentSession(self, number, setting, state, self.machine.versions)
        except BaseException as err:
            if not isinstance(err, EdgekitError | ValueError):
                self._link.close()  # interrupted: the agent leaves a block of frames only when we hang up
            if self._link.is_open:
                self._ask(m.Close(number), m.Done)
            raise
        self._ask(m.Close(number), m.Done)

    def _ask(self, request: m.Request, kind: type[A]) -> A:
        answer = self._link.ask(request)
        if not isinstance(answer, kind):
            self._link.close()
            raise DeviceTransientError(
                f"{self.name} answered {answer!r} to {type(request).__name__}; try again"
            )
        return answer


class AgentSession:
    """See ``Session``."""

    worker_pid = None  # of another machine's process the host could only misread

    def __init__(
        self, target: AgentTarget, number: int, setting: Setting, state: m.State, versions: dict[str, str]
    ):
        self.setting = setting
        self.control_level = state.control_level
        self.versions = versions | state.versions
        self.device, self.meter = state.device, state.meter
        self._target, self._number = target, number

    @property
    def setting_read(self) -> Setting | None:
        return self._target._ask(m.ReadBack(self._number), m.State).setting_read

    def run(self, inputs: Sequence[Tensor] | None = None) -> Frame:
        packed = None if inputs is None else tuple(map(Array.of, inputs))
        frame = self._target._ask(m.RunFrame(self._number, packed), m.RanFrame)
        self._check_times((frame.latency_ms,), 1)
        self._check_arrays(frame.outputs or ())
        return Frame(frame.latency_ms, frame.outputs)

    def sample(self, *, warmup: int, runs: int, fps: float | None = None) -> Samples:
        samples = self._target._ask(m.TakeSamples(self._number, warmup, runs, fps), m.Taken).samples
        self._check_times(samples.samples_ms, runs)
        others = [time_ms for time_ms in (samples.first_ms, samples.load_ms) if time_ms is not None]
        self._check_times(others, len(others))
        if samples.energy is not None and not _is_possible(samples.energy):
            raise self._nonsense("an energy that no machine takes")
        return samples

    def run_paced(self, inputs: Sequence[Sequence[Tensor]], frames: int, fps: float | None) -> PacedFrames:
        packed = tuple(tuple(map(Array.of, frame)) for frame in inputs)
        ran = self._target._ask(m.RunPaced(self._number, packed, frames, fps), m.RanPaced).frames
        for times_ms in (ran.latencies_ms, ran.done_ms):
            self._check_times(times_ms, frames)
        self._check_arrays(ran.outputs)
        return ran

    def profile(self, *, warmup: int, runs: int) -> ProfiledFrames:
        return self._target._ask(m.TakeProfile(self._number, warmup, runs), m.ProfileTaken).frames

    def conditions(self, *, probe: bool = False) -> Conditions:
        return self._target._ask(m.AskConditions(self._number, probe), m.Now).conditions

    def _check_times(self, times_ms: Sequence[float], count: int) -> None:
        if len(times_ms) != count or not all(0 < time_ms < _MOST_MS for time_ms in times_ms):
            raise self._nonsense(f"{len(times_ms)} times for {count} frames, or one that no frame takes")

    def _check_arrays(self, arrays: Sequence[Array]) -> None:
        if not all(array.is_whole for array in arrays):
            raise self._nonsense("an output that is not as long as its shape says")

    def _nonsense(self, what: str) -> DeviceTransientError:
        self._target._link.close()
        return DeviceTransientError(f"{self._target.name} answered {what}; push edgekit to it again")


def _is_possible(energy: EnergyReading) -> bool:
    figures = (energy.energy_mj, energy.gross_mw, energy.idle_mw)
    return all(figure is None or abs(figure) < _MOST_FIGURE for figure in figures)
