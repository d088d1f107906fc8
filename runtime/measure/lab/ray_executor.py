"""Jobs on Ray: each in a worker process, on this machine or in a cluster.

A target is a custom resource ``edgekit/TARGET`` of amount 1, and a job takes all of it: so a target
does one job at a time, for all labs of a cluster. A node that has phones says so when it is started:
``ray start --address=HEAD --resources='{"edgekit/adb:R5CT1234": 1}'``.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Sequence
from typing import Any

from runtime.errors import DeviceStableError
from runtime.extras import require
from runtime.measure.lab.executor import LabRecords
from runtime.measure.lab.interrupts import interruptible
from runtime.measure.lab.jobs import FAILED, RETRY, LabJob, LabOutcome, run_job
from runtime.measure.lab.ray_cluster import open_ray
from runtime.measure.records import Record

_STOP_S = 20.0  # for a worker to restore clocks after it was asked to stop


class RayExecutor:
    """See ``Executor``.

    Args:
        targets: that jobs will ask for.
        address: of a running cluster; ``None`` starts one on this machine, without dashboard and telemetry.

    Raises:
        MissingExtra: Ray is not installed.
        DeviceStableError: there is no cluster at ``address``, or no node of it has one of the targets.
    """

    def __init__(self, records: LabRecords, targets: Sequence[str], address: str | None = None):
        needed = [_resource(target) for target in targets]
        ray = self._ray = open_ray(address, num_cpus=len(targets) + 1, resources=dict.fromkeys(needed, 1))
        offered = ray.cluster_resources()
        if absent := [name for name in needed if name not in offered]:
            ray.shutdown()
            raise DeviceStableError(
                f"the Ray cluster at {address!r} has no {absent[0]!r}; start the node that has this "
                f"target with: ray start --resources='{{\"{absent[0]}\": 1}}'"
            )
        self._running: dict[Any, LabJob] = {}
        # Records are written where the lab was started, whichever node makes them.
        here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
            ray.get_runtime_context().get_node_id(), soft=False
        )
        recorder = ray.remote(num_cpus=0)(LabRecords).options(scheduling_strategy=here)
        self._recorder = recorder.remote(str(records.folder.parent))
        self._run = ray.remote(num_cpus=0, max_retries=0)(_run_remote)
        self._folder = os.getcwd()

    def start(self, job: LabJob, known: Sequence[Record]) -> None:
        task = self._run.options(resources={_resource(job.target): 1}, name=f"{job.target} {job.variant}")
        self._running[task.remote(job, list(known), self._recorder, self._folder)] = job

    def wait(self, timeout_s: float | None) -> list[tuple[LabJob, LabOutcome]]:
        if not self._running:
            time.sleep(timeout_s or 0.0)
            return []
        ended, _ = self._ray.wait(list(self._running), num_returns=1, timeout=timeout_s)
        return [(self._running.pop(one), self._outcome(one)) for one in ended]

    def close(self) -> None:
        for one in self._running:
            self._ray.cancel(one)  # raises KeyboardInterrupt in the worker: its sessions end in order
        if self._running:
            with contextlib.suppress(KeyboardInterrupt):
                self._ray.wait(list(self._running), num_returns=len(self._running), timeout=_STOP_S)
        self._ray.shutdown()

    def _outcome(self, one: Any) -> LabOutcome:
        errors = self._ray.exceptions
        try:
            outcome: LabOutcome = self._ray.get(one)
        except errors.RayTaskError as err:  # no error of the target's: those are outcomes
            return LabOutcome(FAILED, f"unexpected {' '.join(str(err.cause or err).split())[-300:]}")
        except errors.RayError as err:  # the worker or its node died
            return LabOutcome(RETRY, f"the job's process died ({type(err).__name__})")
        return outcome


def _run_remote(job: LabJob, known: Sequence[Record], recorder: Any, folder: str) -> LabOutcome:
    ray = require("ray", "lab")
    if os.path.isdir(folder):  # else it is one of another node
        os.chdir(folder)

    def emit(record: Record) -> None:
        ray.get(recorder.append.remote(job.target, record))  # on the disk, or an error

    with interruptible():
        return run_job(job, known, emit)


def _resource(target: str) -> str:
    return f"edgekit/{target}"
