"""Ray, started on this machine or joined where it runs."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runtime.errors import DeviceStableError
from runtime.extras import HOME, require

_STORE_BYTES = 80 * 2**20  # what jobs send and return is small; Ray's least is 75 MiB


def open_ray(address: str | None, *, num_cpus: int, resources: Mapping[str, float] | None = None) -> Any:
    """Return the module of Ray, connected to a cluster; its ``shutdown`` ends that.

    Ray puts the folder where it is started first on its workers' Python path, so it is started in ours: files
    of the user's, such as ``runtime/`` or ``queue.py``, would else be imported in the worker.

    Args:
        address: of a running cluster; ``None`` starts one on this machine, without dashboard and telemetry,
            that offers ``num_cpus`` and ``resources``.

    Raises:
        MissingExtra: Ray is not installed.
        DeviceStableError: there is no cluster at ``address``.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    # Ray's workers have niceness 15: beside other work they would hardly run, and what they measure be slow.
    os.environ.setdefault("RAY_worker_niceness", "0")
    ray = require("ray", "lab")
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address is None:
        with _inside(HOME):
            ray.init(
                address="local",  # without it Ray joins whatever cluster runs on this machine
                num_cpus=num_cpus,
                resources=dict(resources or {}),
                include_dashboard=False,
                object_store_memory=_STORE_BYTES,
                **quiet,
            )
        return ray
    try:
        _check_answers(address)
        with _inside(HOME):
            ray.init(address=address, **quiet)
    except (OSError, ValueError, RuntimeError) as err:
        raise DeviceStableError(
            f"no Ray cluster answers at {address!r} ({err}); start one (ray start --head), leave "
            "ray_address out of the plan, or set RAY_AUTH_MODE=token if it asks for its token"
        ) from err
    return ray


def _check_answers(address: str) -> None:
    """Raise ``OSError`` if nobody listens at HOST:PORT; Ray itself would go on trying for minutes."""
    host, _, port = address.rpartition(":")
    if host and port.isdecimal() and "//" not in host:
        socket.create_connection((host, int(port)), timeout=5.0).close()


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """Work in ``folder``, and come back; ``contextlib.chdir`` needs Python 3.11."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
