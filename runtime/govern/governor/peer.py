"""Who is at the other end of a Unix socket, by the kernel's word (unix(7), SO_PEERCRED)."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Collection
from dataclasses import dataclass

from runtime.device.actuators.moving import descends, read_uid
from runtime.errors import PermissionNeeded
from runtime.govern.governor.machine import threads_of

_UCRED = struct.Struct("3i")
_ROOT = 0


@dataclass(frozen=True)
class Peer:
    """A process and its user."""

    pid: int
    uid: int


def read_peer(connection: socket.socket) -> Peer:
    """Return who connected.

    Raises:
        PermissionNeeded: neither this user nor root, or a process that cannot be seen from here.
    """
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    pid, uid, _ = _UCRED.unpack(data)
    if uid not in (os.getuid(), _ROOT):
        raise PermissionNeeded(
            f"user {uid} may not use the governor of user {os.getuid()}; run both as one user, or as root"
        )
    if pid <= 0:
        raise PermissionNeeded(
            "the program runs in another PID namespace, out of sight; run the governor there"
        )
    return Peer(pid, uid)


def check_own_threads(peer: Peer, tids: Collection[int]) -> None:
    """Make sure that every thread is the peer's own, or of a process that it started.

    A browser reports frames that its renderer makes.

    Raises:
        PermissionNeeded: one is not.
    """
    for tid in sorted(set(tids) - set(threads_of(peer.pid))):
        if not descends(tid, (peer.pid,)):
            raise PermissionNeeded(
                f"thread {tid} is not one of process {peer.pid}, which asks, nor of one that it started; "
                "give threads of your own"
            )


def check_user_threads(peer: Peer, tids: Collection[int]) -> None:
    """Make sure that every thread is of the peer's user, who may move it without a governor, too.

    A page is governed from beside its browser, which somebody else may have started. Threads that have ended
    since they were listed are passed over: a browser ends some all the time.

    Raises:
        PermissionNeeded: one is another user's, or none is left.
    """
    users = {tid: uid for tid in sorted(set(tids)) if (uid := read_uid(tid)) is not None}
    if not users:
        gone = ", ".join(map(str, sorted(tids)[:3]))
        raise PermissionNeeded(f"there is no thread {gone}; give threads that run")
    for tid, uid in users.items():
        if peer.uid not in (_ROOT, uid):
            raise PermissionNeeded(
                f"thread {tid} is not one of user {peer.uid}, who asks (it is user {uid}'s); "
                "give threads of your own"
            )
