"""What an engine's process answers its owner, in both of its languages, and the profiles it sends."""

from __future__ import annotations

import io
import shlex
from pathlib import Path
from typing import Any

import click
import msgspec

from runtime.engines import Array, EngineProcess, process, random_inputs
from runtime.engines.engine import OpEvent
from runtime.engines.framing import write_frame
from runtime.engines.json_wire import read_json, write_json
from runtime.engines.messages import (
    FramesProfiled,
    Loaded,
    Planned,
    Ran,
    Sampled,
    read_message,
    write_message,
)
from runtime.engines.tflite_plan import ExecutionPlan, PlannedOp
from runtime.engines.worker_program import WorkerProgram
from tests.benchmarks.fuzz.surface import Prepared, Sample, surface

_SPEC = ("x", "float32", (1, 3))
_ANSWERS: list[Any] = [
    Loaded((_SPEC,), (_SPEC,), (0,), "litert 2", 5),
    Ran(1000, (Array("float32", (1, 3), bytes(12)),)),
    Sampled(10, (10, 11), 1),
    FramesProfiled((20,), ((OpEvent("Conv", 0, 10, 20, "XNNPACK profiler"),),), ((0,),)),
    Planned(ExecutionPlan((PlannedOp(0, "CONV_2D", ("y",)),), ((0,),))),
]
_LINES = (
    (msgspec.json.encode(_ANSWERS[0]), b""),
    (b'{"type":"Ran","latency_ns":9,"outputs":[{"dtype":"int8","shape":[2],"size_bytes":2}]}', b"ab"),
    (msgspec.json.encode(_ANSWERS[2]), b""),
    (b'{"type":"Dumped","size_bytes":40}', bytes(8) + b"ED00" + bytes(28)),
    (b'{"type":"Failed","message":"no"}', b""),
)


@surface("worker", quick=40, share=2)
def worker(folder: Path) -> Prepared:
    """Answers of a worker in msgpack, and of the native runner in JSON, to all that is asked of them."""
    replies = folder / "answers"
    packed = []
    for answer in _ANSWERS:
        frame = io.BytesIO()
        write_message(frame, answer)
        packed.append(frame.getvalue())
    lines = [line + b"\n" + blob for line, blob in _LINES]
    samples = [Sample(f"msgpack-{i}", frame[8:], "msgpack") for i, frame in enumerate(packed)]
    samples += [Sample(f"json-{i}", line, "json") for i, (line, _) in enumerate(_LINES)]
    command = ("sh", "-c", f"cat {shlex.quote(str(replies))}; exec >&-; exec cat >/dev/null")
    before = process.choose_worker, process._CLOSE_S
    process._CLOSE_S = 0.1

    def read(sample: Sample, data: bytes) -> None:
        wire, _, at = sample.name.partition("-")
        parts = list(packed if wire == "msgpack" else lines)
        parts[int(at)] = _framed(data) if wire == "msgpack" else data + b"\n" + _LINES[int(at)][1]
        replies.write_bytes(b"".join(parts))
        write, take = (write_message, read_message) if wire == "msgpack" else (write_json, read_json)
        program = WorkerProgram("python", "", command, write, take)
        process.choose_worker = lambda *words, **given: program
        with EngineProcess("litert", "toy.tflite") as model:
            try:
                inputs = random_inputs(model.inputs)
            except ValueError as err:  # as the command line answers it
                raise click.UsageError(str(err)) from err
            outputs = model.run(inputs).outputs
            assert outputs is not None
            model.sample(inputs, warmup=0, runs=2)
            model.profile(inputs, warmup=0, runs=1)
            model.plan()

    def restore() -> None:
        process.choose_worker, process._CLOSE_S = before

    return Prepared(tuple(samples), read, close=restore)


def _framed(data: bytes) -> bytes:
    if len(data) % 8 == 0:
        return data  # where a length is due
    frame = io.BytesIO()
    write_frame(frame, data)
    return frame.getvalue()
