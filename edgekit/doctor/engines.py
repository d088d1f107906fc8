"""Whether the engines and the accelerator come up: each tried in a process of its own, timed."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from edgekit.doctor.check import Check
from runtime.engines.worker_program import choose_worker
from runtime.errors import EdgekitError
from runtime.extras import install_line

TIMEOUT_S = 120


@dataclass(frozen=True)
class Trial:
    """A few lines of Python that print one line when ``name`` works; ``extra`` brings what they import."""

    name: str
    extra: str
    code: str


TRIALS = (
    Trial(
        "LiteRT",
        "litert",
        "from importlib.util import find_spec\n"
        "if find_spec('ai_edge_litert') is None and find_spec('tflite_runtime'):\n"
        "    from tflite_runtime.interpreter import Interpreter\n"
        "    print('loads, as the older tflite_runtime')\n"
        "else:\n"
        "    from ai_edge_litert.interpreter import Interpreter\n"
        "    print('loads')",
    ),
    Trial(
        "ExecuTorch",
        "executorch",
        "from executorch.runtime import Runtime\n"
        "names = Runtime.get().backend_registry.registered_backend_names\n"
        "print('loads, backends: ' + ', '.join(names))",
    ),
    Trial(
        "GPU of this machine",
        "train",
        "import torch\n"
        "names = map(torch.cuda.get_device_name, range(torch.cuda.device_count()))\n"
        "print(', '.join(names) or 'none: training runs on the CPU')",
    ),
)


def check_engines(_root: Path, trials: tuple[Trial, ...] = TRIALS) -> tuple[Check, ...]:
    """Run every trial at once and tell how each ended."""
    with ThreadPoolExecutor() as pool:
        return (*pool.map(try_out, trials), check_executorch_worker())


def check_executorch_worker() -> Check:
    """Tell what runs ``.pte`` files, Python's binding or the native runner, and why; builds nothing."""
    name = "runs .pte files"
    try:
        chosen = choose_worker("executorch", build=False)
    except (EdgekitError, ValueError) as err:
        return Check(name, "missing", "nothing", str(err))
    what = "the native runner" if chosen.kind == "native" else "executorch.runtime of Python"
    return Check(name, "ok", f"{what}: {chosen.reason}")


def try_out(trial: Trial, timeout_s: float = TIMEOUT_S) -> Check:
    """Run one trial; a crash, an import that fails or a hang is reported, never raised."""
    begin = time.perf_counter()
    try:
        command = [sys.executable, "-P", "-c", trial.code]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
        return Check(trial.name, "warn", f"did not come up within {timeout_s:g} s")
    duration_s = time.perf_counter() - begin
    if done.returncode == 0:
        said = (done.stdout.strip().splitlines() or ["works"])[-1]
        state = "missing" if said.startswith("none") else "ok"
        return Check(trial.name, state, f"{said} ({duration_s:.1f} s)")
    if done.returncode < 0:
        return Check(trial.name, "warn", f"crashes with signal {-done.returncode} when it loads")
    last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
    hint = install_line(trial.extra)
    if "ModuleNotFoundError" in last:
        return Check(trial.name, "missing", last.removeprefix("ModuleNotFoundError: "), hint)
    return Check(trial.name, "warn", last, hint)
