"""Messages between machines: what a host asks an agent, and what an agent answers its host."""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
from pathlib import Path
from typing import Any

import click
import msgspec

from runtime._version import __version__
from runtime.device.actuators import Capability, Restored
from runtime.device.actuators.states import PolicyState
from runtime.device.conditions import Conditions
from runtime.device.meters.reading import EnergyReading
from runtime.device.setting import Setting
from runtime.device.soc import PowerFigure
from runtime.engines import Array, Frame, ProfiledFrames, Samples
from runtime.engines.engine import OpEvent
from runtime.engines.framing import read_frame, write_frame
from runtime.engines.pacing import PacedFrames
from runtime.errors import EdgekitError
from runtime.measure.bench import bench
from runtime.measure.records import RecordLog
from runtime.targets.agent import messages as m
from runtime.targets.agent.service import Service, decode_request
from runtime.targets.agent.target import AgentTarget, SameDisk
from runtime.targets.failed import Failed, failure
from runtime.targets.local import LocalTarget
from runtime.targets.overview import opp_rows
from tests.benchmarks.fuzz.surface import Prepared, Sample, run_command, surface
from tests.runtime.fake_device import make_device
from tests.runtime.phone import PROFILE, make_bundle

_ARRAY = Array("float32", (1, 3), bytes(12))
_SETTING = Setting("big", 600_000, 1)
_STATE = m.State(_SETTING, "sysfs", {"engine": "litert 2"}, {"name": "toy", "soc": "t"}, None)
_ENERGY = EnergyReading(5.0, 1.0, 2, "hwmon", "measured", 1.0, rails_mj={"cpu": 5.0})
_SAMPLES = Samples(2.0, (1.0, 1.1), 1, _ENERGY, (), 3.0)
_NOW = Conditions(
    1.0, 40.0, (), 600_000, 2_400_000, "userspace", (2, 3), 4, 1.0, 0.1, 1.0, 0.0, 1.0, 0.0, 0.0
)
_PACED = PacedFrames((1.0,), (1.0,), (_ARRAY,))
_PROFILED = ProfiledFrames((1.0,), ((OpEvent("Conv", 0, 10, 20, "XNNPACK profiler"),),), ((0,),))
_LEFT = Restored(PolicyState("/sys/devices/system/cpu/cpufreq/policy0", "schedutil", 1, 2), "would restore")
_ANSWERS: dict[str, m.Answer] = {
    "Hello": m.Greeting(m.PROTOCOL, __version__),
    "Describe": m.AgentMachine("measured", PROFILE, Capability("sysfs"), "none", "toy", {"python": "3"}),
    "AskSettings": m.Settings((_SETTING,)),
    "AskPower": m.Power(PowerFigure(5.0, "a table")),
    "StartSession": _STATE,
    "ReadBack": _STATE,
    "AskConditions": m.Now(_NOW),
    "RunFrame": m.RanFrame(1.0, (_ARRAY,)),
    "RunPaced": m.RanPaced(_PACED),
    "TakeSamples": m.Taken(_SAMPLES),
    "TakeProfile": m.ProfileTaken(_PROFILED),
    "Close": m.Done(),
    "UseMeter": Failed("DeviceStableError", "there is no such meter"),
    "AskRestore": m.Done((_LEFT,)),
}


class _Session:
    """What a session of the agent's machine offers."""

    setting_read, control_level, meter = _SETTING, "sysfs", None
    versions = device = {"name": "toy"}  # noqa: RUF012

    def run(self, inputs: Any) -> Frame:
        for array in inputs or ():
            array.numpy()
        return Frame(1.0, (_ARRAY,))

    def sample(self, **given: Any) -> Samples:
        return _SAMPLES

    def run_paced(self, inputs: Any, frames: int, fps: float | None) -> PacedFrames:
        return _PACED

    def profile(self, **given: Any) -> ProfiledFrames:
        return _PROFILED

    def conditions(self, *, probe: bool = False) -> Conditions:
        return _NOW


@surface("agent-requests", quick=200, share=4)
def requests(folder: Path) -> Prepared:
    """What the agent on a device is asked."""
    bundle = make_bundle(folder)
    service = Service(LocalTarget(make_device(folder).root))
    manifest, files = bundle.manifest.to_json(), {"litert-fp32.bin": "/none"}
    sent: list[m.Request] = [
        *(m.Hello(m.PROTOCOL, __version__), m.Describe(), m.AskSettings((1, 2)), m.AskPower(_SETTING)),
        m.StartSession(1, manifest, "litert-fp32", files, _SETTING),
        *(m.ReadBack(0), m.AskConditions(0, True), m.RunFrame(0, (_ARRAY,)), m.TakeSamples(0, 1, 2, None)),
        *(m.RunPaced(0, ((_ARRAY,),), 1, 30.0), m.TakeProfile(0, 1, 2), m.Close(0), m.AskRestore(True)),
        m.UseMeter("none"),
    ]
    samples = tuple(Sample(type(each).__name__, msgspec.msgpack.encode(each), "msgpack") for each in sent)

    def read(sample: Sample, data: bytes) -> None:
        service._open[0] = (_Session(), contextlib.ExitStack())  # type: ignore[assignment]
        try:
            answer = service.answer(decode_request(data))
        except ValueError as err:  # as the agent's loop answers it
            answer = failure(err)
        msgspec.msgpack.encode(answer)

    return Prepared(samples, read)


class _Peer:
    """Plays an agent at the other end of two pipes; one of its answers is damaged."""

    def __init__(self, damaged: str, data: bytes):
        self._damaged, self._data = damaged, data
        requests, self._answers = os.pipe(), os.pipe()
        self._requests = os.fdopen(requests[0], "rb")
        self.stdin = os.fdopen(requests[1], "wb")
        self.stdout = os.fdopen(self._answers[0], "rb")
        self.stderr = open(os.devnull, "rb")  # noqa: SIM115
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Wait for the other end, which ends when its requests do."""
        self._thread.join(5)
        for stream in (self.stdout, self.stderr):
            stream.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError), os.fdopen(self._answers[1], "wb") as answers, self._requests:
            while (data := read_frame(self._requests)) is not None:
                kind = msgspec.msgpack.decode(data)["type"]
                if kind != self._damaged:
                    if kind in _ANSWERS:
                        write_frame(answers, msgspec.msgpack.encode(_ANSWERS[kind]))
                elif len(self._data) % 16:
                    write_frame(answers, self._data)
                else:  # where a length is due
                    answers.write(self._data)
                    return


@surface("agent-answers", quick=40, share=3)
def answers(folder: Path) -> Prepared:
    """What an agent answers a host that benches, runs, profiles and restores."""
    bundle = make_bundle(folder)
    samples = tuple(
        Sample(kind, msgspec.msgpack.encode(answer), "msgpack") for kind, answer in _ANSWERS.items()
    )
    numbers = itertools.count()

    def read(sample: Sample, data: bytes) -> None:
        log = RecordLog(folder / f"log{next(numbers)}.jsonl")
        with AgentTarget("ssh:toy", _Peer(sample.name, data), SameDisk()) as target:
            try:
                _use(target, bundle, log)
            except ValueError as err:
                if sample.name != "UseMeter":  # that answer is an error of the agent's
                    raise
                raise click.UsageError(str(err)) from err
            finally:
                if log.path.is_file():
                    run_command("records", log.path)
                    log.path.unlink()

    return Prepared(samples, read)


def _use(target: AgentTarget, bundle: Any, log: RecordLog) -> None:
    opp_rows(target.profile)
    settings = target.settings((1,))
    bench(bundle, target, settings=settings[:1], blocks=1, runs=2, warmup=0, log=log)
    with target.session(bundle, bundle.manifest.variants[0], _SETTING) as session:
        frame = session.run((_ARRAY,))
        session.run_paced(((_ARRAY,),), 1, 30.0).late_frames(33.0)
        session.profile(warmup=0, runs=1)
        for array in frame.arrays or ():
            array.numpy()
    for done in target.restore(dry_run=True):
        assert done.state.text
    with contextlib.suppress(EdgekitError):
        target.use_meter("odpm")
