"""How a lab is printed, and what it says while it runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgekit.cli._output import print_table
from edgekit.cli._progress import Steps

if TYPE_CHECKING:
    from runtime.measure.lab import LabResult

_COLUMNS = {
    "target": "target", "bundle": "bundle", "variant": "variant", "best setting": "setting",
    "by": "chosen_by", "ms": "latency_ms", "mJ": "energy_mj", "latency": "provenance", "verdict": "verdict",
    "settings": "n_settings", "unstable": "n_unstable", "done": "n_done", "of": "n_jobs",
}  # fmt: skip
_OPTIONAL = ("settings", "unstable", "of", "done", "by", "latency", "verdict")


def print_result(result: LabResult) -> None:
    """Print a line per target, bundle and variant, with its best setting."""
    rows = [[getattr(row, name) for name in _COLUMNS.values()] for row in result.rows]
    print_table(list(_COLUMNS), rows, optional=_OPTIONAL)


class LabSteps(Steps):
    """Says how many jobs are done; keeps how each ended."""

    def __enter__(self) -> LabSteps:
        super().__enter__()
        self._done = 0
        self.wait_for("starting the workers and their first jobs")
        return self

    def ended(self, job: Any, outcome: Any, now: Any) -> None:
        """Keep how a job ended; give it as ``progress``."""
        where = f"{job.target} {Path(job.bundle).name} {job.variant} block {job.block}"
        self.done(f"{where}: {now.state}" + (f": {outcome.reason}" if outcome.reason else ""))
        self._done += 1
        self.goes_on(f"{self._done} jobs done, the last: {where}")
