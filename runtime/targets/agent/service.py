"""Answers to a host's requests about this machine."""

from __future__ import annotations

import contextlib
import platform
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from runtime._version import __version__
from runtime.bundle import Bundle, Manifest
from runtime.bundle.decoding import why
from runtime.device.actuators import restore
from runtime.errors import BundleError
from runtime.targets.agent import messages as m
from runtime.targets.failed import failure
from runtime.targets.local import LocalTarget
from runtime.targets.local_session import LocalSession


@dataclass(frozen=True)
class PlacedBundle(Bundle):
    """A bundle whose files lie in different places of this machine; some may be missing."""

    places: dict[str, str] = field(default_factory=dict)

    def file(self, relative: str) -> Path:
        if relative not in self.places or not Path(self.places[relative]).is_file():
            raise BundleError(
                f"{relative!r} of {self.manifest.name} is not on the device; push the bundle again"
            )
        return Path(self.places[relative])


class Service:
    """Answers requests; ``sessions`` closes all that are still open.

    Args:
        target: the machine it runs on.
    """

    def __init__(self, target: LocalTarget):
        self.target = target
        self.sessions = contextlib.ExitStack()
        self._open: dict[int, tuple[LocalSession, contextlib.ExitStack]] = {}

    def answer(self, request: m.Request) -> m.Answer:
        """Do what is asked; an error becomes ``Failed``."""
        try:
            return self._answer(request)
        except m.CATCHABLE as err:
            return failure(err)

    def _answer(self, request: m.Request) -> m.Answer:
        match request:
            case m.Hello():
                return m.Greeting(m.PROTOCOL, __version__)
            case m.Describe():
                return self._describe()
            case m.AskSettings(threads, clusters):
                return m.Settings(self.target.settings(threads, clusters))
            case m.AskPower(setting):
                return m.Power(self.target.power(setting))
            case m.StartSession():
                return self._begin(request)
            case m.ReadBack(number):
                return self._state(number)
            case m.RunFrame(number, inputs):
                frame = self._session(number).run(inputs)
                return m.RanFrame(frame.latency_ms, frame.arrays)
            case m.RunPaced(number, inputs, frames, fps):
                return m.RanPaced(self._session(number).run_paced(inputs, frames, fps))
            case m.TakeSamples(number, warmup, runs, fps):
                return m.Taken(self._session(number).sample(warmup=warmup, runs=runs, fps=fps))
            case m.TakeProfile(number, warmup, runs):
                return m.ProfileTaken(self._session(number).profile(warmup=warmup, runs=runs))
            case m.AskConditions(number, probe):
                return m.Now(self._session(number).conditions(probe=probe))
            case m.Close(number):
                self._session(number)
                self._open.pop(number)[1].close()
                return m.Done()
            case m.UseMeter(wanted):
                self.target.use_meter(wanted)
                return self._describe()
            case m.AskRestore(dry_run):
                return m.Done(tuple(restore(dry_run=dry_run)))
        raise ValueError(f"{type(request).__name__} is not a request")

    def _describe(self) -> m.AgentMachine:
        target = self.target
        versions = {"python": platform.python_version(), "machine": platform.machine()}
        return m.AgentMachine(
            target.provenance,
            target.profile,
            target.capability,
            target.energy_note,
            platform.node(),
            versions,
        )

    def _begin(self, request: m.StartSession) -> m.State:
        if request.session in self._open:
            raise ValueError(f"session {request.session} is open already")
        manifest = Manifest.from_json(request.manifest, "the manifest that was sent")
        bundle = PlacedBundle(Path("/"), manifest, request.files)
        stack = contextlib.ExitStack()
        self.sessions.push(
            stack
        )  # closed with the error that ends the agent, so that a worker is not waited for
        session = stack.enter_context(
            self.target.session(bundle, manifest.variant(request.variant), request.setting)
        )
        self._open[request.session] = (session, stack)
        return self._state(request.session)

    def _session(self, number: int) -> LocalSession:
        if number not in self._open:
            raise ValueError(f"there is no session {number}")
        return self._open[number][0]

    def _state(self, number: int) -> m.State:
        session = self._session(number)
        return m.State(
            session.setting_read, session.control_level, session.versions, session.device, session.meter
        )


def decode_request(data: bytes) -> m.Request:
    """Return the request in a frame.

    Raises:
        ValueError: it is none of ours: another version speaks.
    """
    try:
        request: m.Request = _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as err:
        problem = f"not a request of protocol {m.PROTOCOL} ({why(err)}); run edgekit push again"
        raise ValueError(problem) from err
    return request


_DECODER: msgspec.msgpack.Decoder[m.Request] = msgspec.msgpack.Decoder(m.Request)
