"""ExecuTorch's ``executor_runner``: flags and log.

Source: examples/portable/executor_runner/executor_runner.cpp. Builds differ: newer ones log
``Iteration i of N: x ms`` for every frame, older ones only the sum, the oldest no time at all. On
Android the log goes to logcat under the tag ExecuTorch (runtime/platform/default/android.cpp).
The program fills its inputs with ones.
"""

from __future__ import annotations

import re

from runtime.engines.programs.runner import RUNNERS, ProgramRequest, Timings, last_words
from runtime.errors import DeviceStableError

_FRAME = re.compile(r"Iteration (\d+) of (\d+): (\d+(?:\.\d+)?) ms")
_SUM = re.compile(r"Model executed successfully (\d+) time\(s\) in (\d+(?:\.\d+)?) ms")
_THREADS = re.compile(r"Resetting threadpool with num threads = (\d+)")
# Words of its log, with the log's own prefix or from logcat without one.
_LOGGED = re.compile(
    r"executorch:|Model (?:file|executed)|Using method|Iteration \d|Resetting threadpool|Loaded? method"
)
_OPTION = re.compile(r"^\s+-{1,2}(\w+) \(", re.MULTILINE)  # gflags' --help


class ExecutorRunner:
    """See ``ProgramRunner``.

    Example:
        >>> log = "Iteration 1 of 2: 9.5 ms\\nIteration 2 of 2: 2.25 ms"
        >>> ExecutorRunner().parse(log, ProgramRequest("model.pte", warmup=0, runs=1))
        Timings(first_ms=9.5, samples_ms=(2.25,), threads=None, note=None)
    """

    program = "executor_runner"
    engine = "executorch"
    environment = "EDGEKIT_ADB_EXECUTOR_RUNNER"
    help_flag: str | None = "--help"
    log_tag: str | None = "ExecuTorch"

    def invocations(self, request: ProgramRequest) -> int:
        return 1

    def arguments(self, request: ProgramRequest, options: str) -> list[str]:
        if request.fps is not None:
            raise DeviceStableError(
                f"{self.program} runs frames back to back only, {request.fps:g} fps were asked; leave --fps "
                "out"
            )
        known = set(_OPTION.findall(options))
        missing = [name for name in ("num_executions", "cpu_threads") if name not in known]
        if missing:
            raise DeviceStableError(
                f"this {self.program} has no --{missing[0]}, so its frames or threads cannot be set; build "
                "the runner of a newer ExecuTorch with EXECUTORCH_BUILD_PTHREADPOOL and XNNPACK on"
            )
        quiet = ["--print_output=none"] if "print_output" in known else []
        frames = 1 + request.warmup + request.runs
        return [
            f"--model_path={request.model}",
            f"--num_executions={frames}",
            f"--cpu_threads={request.threads}",
            *quiet,
        ]

    def steady_arguments(self, request: ProgramRequest, options: str) -> list[str]:
        return self.arguments(request, options)

    def steady_s(self, text: str, request: ProgramRequest) -> float:
        samples_ms = self.parse(text, request).samples_ms
        return sum(samples_ms) / len(samples_ms) * request.runs / 1000

    def parse(self, text: str, request: ProgramRequest) -> Timings:
        threads = _THREADS.search(text)
        used = None if threads is None else int(threads.group(1))
        frames = _FRAME.findall(text)
        total = _SUM.search(text)
        wanted = 1 + request.warmup + request.runs
        if [int(number) for number, _, _ in frames] == list(range(1, wanted + 1)):
            frames_ms = [float(ms) for _, _, ms in frames]
            samples_ms = tuple(frames_ms[1 + request.warmup :])
            if min(samples_ms) > 0:
                return Timings(frames_ms[0], samples_ms, used)
        elif not frames and total is not None and int(total[1]) > 0 and float(total[2]) > 0:
            note = (
                f"the sample is a mean of {total[1]} frames, the cold one among them: this {self.program} "
                "logs no single frames"
            )
            return Timings(None, (float(total[2]) / int(total[1]),), used, note)
        if _LOGGED.search(text) is None:
            raise DeviceStableError(
                f"{self.program} logged nothing, so its frames have no times; was it built without logging, "
                "as Release builds are? configure ExecuTorch with -DEXECUTORCH_ENABLE_LOGGING=ON; got: "
                f"{last_words(text)}"
            )
        raise DeviceStableError(
            f"{self.program} logged no latencies that can be read; expected {wanted} lines 'Iteration i of "
            f"N: x ms', got: {last_words(text)}"
        )


RUNNERS.register("executorch")(ExecutorRunner())
