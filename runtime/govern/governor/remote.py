"""A governed run on a device behind ssh, by the device's own ``edgekit govern``.

Frames are decided where they run. This end shows what the device prints, hands signals on, and brings the
log back; when it is gone, the device restores its clocks by itself (see ``runtime.targets.agent.attached``).
"""

from __future__ import annotations

import contextlib
import queue
import shlex
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from runtime.bundle import Bundle, write_atomic
from runtime.choose.policy.policy import load_policy
from runtime.device.actuators.signals import ASKS_TO_LEAVE
from runtime.errors import DataError, DeviceTransientError
from runtime.govern.governor.device_policy import bring_policy
from runtime.govern.governor.options import GovernOptions
from runtime.targets import TargetName
from runtime.targets.agent.attached import BEAT
from runtime.targets.agent.messages import BEAT_S
from runtime.targets.ssh.device_files import DeviceFiles
from runtime.targets.ssh.target import ChannelConnection, greet, reach

_LEAVE_S = 60.0  # from a signal to hanging up: a program has 5 s to heed it, and a slow board takes its time
_DRAIN_S = 10.0  # for what was printed before the program ended, over a slow network


def govern_remotely(
    bundle: Path | None,
    command: Sequence[str],
    options: GovernOptions,
    flags: Sequence[str] = (),
    *,
    out: BinaryIO,
    err: BinaryIO,
) -> int:
    """Run ``edgekit govern`` on the device that is the options' target, and return its exit status.

    The command runs there too, in the home folder of whoever logs in, without a stdin. The log, a file of
    this machine, is brought back.

    Args:
        bundle: that was pushed to the device; its policy goes along.
        flags: further ones of ``edgekit govern``, as ``--json``.
        out, err: where what the device prints goes.

    Raises:
        NotFittedError: the bundle has no policy for the target.
        DeviceStableError: edgekit, or the bundle, was not pushed to the device.
        VersionConflict: another version of edgekit was.
        DeviceTransientError: the connection broke off.
        DataError: the log cannot be written here.
    """
    target, log = options.target, options.log
    opened = None if bundle is None else Bundle.open(bundle)
    policy = None if opened is None else load_policy(opened, options.policy_target or target)
    files = reach(TargetName.parse(target))
    python = greet(files)
    remote_log = f"{files.home}/governed-{uuid.uuid4().hex[:8]}.jsonl"
    remote_options = replace(
        options, target="local", called=target, log=None if log is None else Path(remote_log)
    )
    remote_bundle = None if opened is None or policy is None else bring_policy(files, opened, policy)
    program = [python, "-I", "-m", "runtime.targets.agent.attached", "edgekit"]
    program += remote_options.command_line(remote_bundle, command, flags)
    status = attend(ChannelConnection(files.conn, f"exec {shlex.join(program)}"), out, err)
    if status is None:
        kept = "" if log is None else f"; its log is on the device in {remote_log}"
        raise DeviceTransientError(
            f"the connection to {target} broke off; the device restores its clocks by itself{kept} "
            f"(if it was killed or lost power: edgekit restore --target {target})"
        )
    if log is not None:
        _bring_log(files, remote_log, log)
    return status


def attend(connection: ChannelConnection, out: BinaryIO, err: BinaryIO) -> int | None:
    """Show what a program prints and hand SIGINT, SIGTERM and SIGHUP on to it until it ends.

    Returns:
        Its exit status, ``None`` where the connection ended first.
    """
    channel = connection.channel
    news: queue.SimpleQueue[int | None] = queue.SimpleQueue()  # signals to hand on, then None: it is over
    status: list[int] = []

    def wait() -> None:
        status.append(channel.recv_exit_status())
        news.put(None)

    pumps = [
        threading.Thread(target=_show, args=(receive, stream, news), daemon=True)
        for receive, stream in ((channel.recv, out), (channel.recv_stderr, err))
    ]
    try:
        with _signals_into(news):
            for thread in (*pumps, threading.Thread(target=wait, daemon=True)):
                thread.start()
            _talk(connection, news)
        for thread in pumps:
            thread.join(_DRAIN_S)
    finally:
        connection.close()
    return status[0] if status and status[0] >= 0 else None


def _talk(connection: ChannelConnection, news: queue.SimpleQueue[int | None]) -> None:
    hang_up_s: float | None = None
    while hang_up_s is None or time.monotonic() < hang_up_s:
        try:
            number = news.get(timeout=BEAT_S)
        except queue.Empty:
            number = BEAT
        if number is None:
            return
        if number != BEAT and hang_up_s is None:
            hang_up_s = time.monotonic() + _LEAVE_S
        with contextlib.suppress(OSError):  # it has just ended
            connection.stdin.write(bytes([number]))
            connection.stdin.flush()


def _show(receive: Callable[[int], bytes], stream: BinaryIO, news: queue.SimpleQueue[int | None]) -> None:
    """Copy what comes; where nobody reads it any more, ask the program to leave and go on reading."""
    is_read = True
    while data := receive(1 << 16):
        try:
            if is_read:
                stream.write(data)
                stream.flush()
        except OSError:
            is_read = False
            news.put(signal.SIGTERM)


@contextlib.contextmanager
def _signals_into(news: queue.SimpleQueue[int | None]) -> Iterator[None]:
    """Put signals that ask to leave into ``news`` inside the block; one that is ignored stays ignored."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {signum: signal.getsignal(signum) for signum in ASKS_TO_LEAVE}
    try:
        for signum, old in before.items():
            if old not in (signal.SIG_IGN, None):
                signal.signal(signum, lambda number, frame: news.put(number))
        yield
    finally:
        for signum, old in before.items():
            if old is not None:  # None: set by another language's code
                signal.signal(signum, old)


def _bring_log(files: DeviceFiles, remote_log: str, log: Path) -> None:
    data = files.fetch(remote_log)
    if data is None:
        return  # it was refused before it began, and has said why
    try:
        write_atomic(log, data)
    except OSError as err:
        raise DataError(
            f"{log} cannot be written ({err.strerror}); the log is kept on {files.where} in {remote_log}"
        ) from err
    files.shell(f"rm -f {shlex.quote(remote_log)}")
