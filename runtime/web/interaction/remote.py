"""A job of gestures on a target: by a worker here, inside an emulated machine, or for a phone."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import IO

import msgspec

from runtime.bundle.decoding import decode_json
from runtime.device.child import module_command, module_environment, wait_or_kill
from runtime.device.emulation.namespace import probe
from runtime.device.soc import load_profile
from runtime.errors import DeviceStableError, WebError
from runtime.measure.records import Record
from runtime.targets.failed import Failed, as_error
from runtime.targets.name import TargetName
from runtime.visible import one_line
from runtime.web.frames.films import Film
from runtime.web.interaction.job import FeaturesRead, Filmed, Measured, Message, Remark, WebJob
from runtime.web.pages.features import PageFeatures

_MOST_LINE = 16 << 20
_END_S = 15.0  # to restore clocks and end the browser
_WORKER, _PHONE_WORKER = "runtime.web.interaction.worker", "runtime.web.phone.worker"


def measure_job(
    target: str,
    job: WebJob,
    on_record: Callable[[Record], None],
    on_step: Callable[[str], None] = lambda text: None,
    on_message: Callable[[str], None] = lambda text: None,
    on_features: Callable[[str, PageFeatures], None] = lambda page, features: None,
    on_film: Callable[[Film], None] = lambda film: None,
) -> None:
    """Do ``job`` on ``target`` and hand over each record as it comes.

    Args:
        target: ``local``, ``emulated:SOC`` or ``adb:SERIAL``.

    Raises:
        ValueError: another target.
        WebError: the machine has no browser, or the worker ended.
        DeviceError, PermissionNeeded: it cannot hold a setting.
    """
    name = TargetName.parse(target)
    command = _command(name)
    with contextlib.ExitStack() as stack:
        words = stack.enter_context(tempfile.TemporaryFile())
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=words,
            env=module_environment(),
            start_new_session=True,  # Ctrl-C is for this process, which then asks it to leave
        )
        assert process.stdin is not None
        assert process.stdout is not None
        stack.callback(process.stdout.close)
        stack.callback(wait_or_kill, process, _END_S)
        stack.callback(process.stdin.close)  # it restores the machine and leaves
        process.stdin.write(msgspec.json.encode(job) + b"\n")
        process.stdin.flush()
        failure: Failed | None = None
        for message in _lines(process.stdout):
            if isinstance(message, Measured):
                on_record(replace(message.record, target=str(name)))
            elif isinstance(message, FeaturesRead):
                on_features(message.page, message.features)
            elif isinstance(message, Filmed):
                on_film(replace(message.film, target=str(name)))
            elif isinstance(message, Failed):
                failure = message
            elif isinstance(message, Remark):
                on_message(message.text)
            else:
                on_step(message.text)
        if failure is not None:
            raise as_error(failure)
        if status := wait_or_kill(process, _END_S):
            raise WebError(f"measuring on {name} ended with status {status}{_last_words(words)}")


def _command(name: TargetName) -> list[str]:
    worker = module_command(_WORKER)
    if name.kind == "local":
        return worker
    if name.kind == "adb":
        return module_command(_PHONE_WORKER, name.rest)
    if name.kind == "emulated":
        load_profile(name.rest)
        ok, reason = probe()
        if not ok:
            raise DeviceStableError(f"{name}: {reason}")
        return module_command("runtime.device.emulation", name.rest, "--", *worker)
    raise ValueError(f"gestures cannot be measured on {name}; targets are local, emulated:SOC and adb:SERIAL")


def _lines(stream: IO[bytes]) -> Iterator[Message]:
    while line := stream.readline(_MOST_LINE):
        yield decode_json(line, Message, where="a line of the worker", advice="measure again", error=WebError)


def _last_words(stream: IO[bytes]) -> str:
    stream.seek(0)
    text = one_line(stream.read(1 << 16).decode(errors="replace"))
    return f": {text[-400:]}" if text else ""
