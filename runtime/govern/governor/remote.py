"""A governed run on a device behind ssh, by the device's own ``edgekit govern``.

Frames are decided where they run. This end shows what the device prints, hands signals on, and brings the
log back; when it is gone, the device puts its clocks back by itself (see ``runtime.targets.agent.attached``).
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
from pathlib import Path
from typing import BinaryIO

from runtime.bundle import Bundle, write_atomic
from runtime.choose.policy.policy import load_policy
from runtime.device.actuators.signals import ASKS_TO_LEAVE
from runtime.errors import DataError, DeviceTransientError
from runtime.govern.governor.device_policy import bring_policy
from runtime.targets import TargetName
from runtime.targets.agent.attached import BEAT
from runtime.targets.agent.messages import BEAT_S
from runtime.targets.ssh.device_files import DeviceFiles
from runtime.targets.ssh.target import ChannelConnection, greet, reach

_LEAVE_S = 60.0  # from a signal to hanging up: a program has 5 s to heed it, and a slow board its own pace
_DRAIN_S = 10.0


def govern_there(
    target: str,
    bundle: Path | None,
    command: Sequence[str],
    options: Sequence[str],
    *,
    policy_target: str | None = None,
    log: Path | None = None,
    out: BinaryIO,
    err: BinaryIO,
) -> int:
    """Run ``edgekit govern`` on ``target`` and return its exit status.

    The command runs there too, in the home folder of whoever logs in, without a stdin.

    Args:
        target: ``ssh:user@host:port``.
        bundle: that was pushed there; its policy goes along.
        options: further ones of ``edgekit govern``, as ``--fps=30``.
        policy_target: name of the target that the policy was made for; default: this one.
        log: file, here, for each frame.
        out, err: where what the device prints goes.

    Raises:
        NotFittedError: the bundle has no policy for the target.
        DeviceStableError: edgekit, or the bundle, was not pushed there.
        VersionConflict: another version of edgekit was.
        DeviceTransientError: the connection broke off.
        DataError: the log cannot be written here.
    """
    opened = None if bundle is None else Bundle.open(bundle)
    policy = None if opened is None else load_policy(opened, policy_target or target)
    files = reach(TargetName.parse(target))
    python = greet(files)
    words = [*options, f"--called={target}"]
    if policy_target is not None:
        words.append(f"--policy-target={policy_target}")
    there = f"{files.home}/governed-{uuid.uuid4().hex[:8]}.jsonl"
    if log is not None:
        words.append(f"--log={there}")
    if opened is not None and policy is not None:
        words.append(bring_policy(files, opened, policy))
    if command:
        words += ["--", *command]
    attached = [python, "-P", "-m", "runtime.targets.agent.attached"]
    program = [*attached, "edgekit", "govern", "--target=local", *words]
    status = attend(ChannelConnection(files.conn, f"exec {shlex.join(program)}"), out, err)
    if status is None:
        kept = "" if log is None else f"; its log lies there in {there}"
        raise DeviceTransientError(
            f"the connection to {target} broke off; the device puts its clocks back by itself{kept} "
            f"(if it was killed or lost power: edgekit restore --target {target})"
        )
    if log is not None:
        _bring_log(files, there, log)
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


def _bring_log(files: DeviceFiles, there: str, log: Path) -> None:
    data = files.fetch(there)
    if data is None:
        return  # it was refused before it began, and has said why
    try:
        write_atomic(log, data)
    except OSError as err:
        raise DataError(
            f"{log} cannot be written ({err.strerror}); the log is kept on {files.where} in {there}"
        ) from err
    files.shell(f"rm -f {shlex.quote(there)}")
