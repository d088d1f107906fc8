"""One benchmark program on a phone: pinned, started as often as needed, checked, and never left behind."""

from __future__ import annotations

import contextlib
import re
import shlex
import uuid
from collections.abc import Sequence

from runtime.engines.programs import ProgramRequest, ProgramRunner, Timings
from runtime.engines.programs.runner import last_words
from runtime.errors import DeviceError, DeviceStableError
from runtime.targets.adb.facts import field_of, parse_cpu_list
from runtime.targets.adb.runner import FOLDER, InstalledProgram
from runtime.targets.adb.shell import AdbShell, CommandFailed, quote

_SAY_END = 'echo "@@ end $(cat /proc/uptime)"'
_END = re.compile(r"^@@ end (\d{1,10}\.\d{1,6})", re.MULTILINE)
_TIMEOUT_S = 600.0  # of one start; a slow model at many frames takes minutes, a hung program for ever


class AdbJob:
    """Times one model with one program; see ``ProgramRunner``.

    Args:
        model: path on the phone.
        cpus: to pin it to before it starts; ``None`` leaves it free.
    """

    def __init__(
        self,
        shell: AdbShell,
        runner: ProgramRunner,
        installed: InstalledProgram,
        model: str,
        threads: int,
        cpus: Sequence[int] | None,
    ):
        self.cpus = None if cpus is None else tuple(cpus)
        self._shell, self._runner, self._installed = shell, runner, installed
        self._model, self._threads = model, threads
        self._pid_file = f"{FOLDER}/{uuid.uuid4().hex[:12]}.pid"

    @property
    def program(self) -> str:
        """Which program, and where it is on the phone."""
        return f"{self._runner.program} at {self._installed.path}"

    def time(self, *, warmup: int, runs: int, fps: float | None = None) -> Timings:
        """Return the latencies of ``runs`` frames; see ``ProgramRequest`` for ``fps``.

        Raises:
            DeviceStableError: the program failed, printed nothing to read, or ran on other CPUs.
            DeviceTransientError: the phone is gone, or the program hangs.
        """
        request = ProgramRequest(self._model, self._threads, warmup, runs, fps)
        arguments = self._runner.arguments(request, self._installed.options)
        return self._runner.parse(self._run(arguments, self._runner.invocations(request)), request)

    def time_steady(self, *, warmup: int, runs: int, fps: float | None = None) -> tuple[float, float]:
        """Run ``runs`` frames in one start; return when they ended and how long they took.

        Both are in seconds, the end as the phone's uptime; raises as ``time``.
        """
        request = ProgramRequest(self._model, self._threads, warmup, runs, fps)
        text = self._run(self._runner.steady_arguments(request, self._installed.options), 1)
        end = _END.search(text)
        if end is None:
            raise DeviceStableError(f"adb:{self._shell.serial} shows no /proc/uptime; use --meter none")
        return float(end[1]), self._runner.steady_s(text, request)

    def _run(self, arguments: Sequence[str], times: int) -> str:
        mark = f"edgekit {uuid.uuid4().hex}"
        command = self._command([self._installed.path, *arguments], times)
        if self._runner.log_tag is not None:
            command = f"log -t {self._runner.log_tag} {shlex.quote(mark)} || true; {command}"
        try:
            text = self._shell.run(command, timeout_s=_TIMEOUT_S)
        except CommandFailed as err:
            text = self._with_log(err.output, mark)
            raise DeviceStableError(
                f"{self._runner.program} on adb:{self._shell.serial} ended with status {err.status}; its "
                f"last words: {last_words(text)}"
            ) from err
        self._check_cpus(text)
        return self._with_log(text, mark)

    def stop(self) -> None:
        """End what still runs of it on the phone, so that it disturbs nothing measured later."""
        name = shlex.quote(self._pid_file)
        with contextlib.suppress(DeviceError):  # the phone is gone: so is the program
            self._shell.run(
                f"if [ -f {name} ]; then kill -9 $(cat {name}) 2>/dev/null; rm -f {name}; fi; true"
            )

    def _command(self, program: Sequence[str], times: int) -> str:
        # `exec` keeps one pid from here to the program. Nothing runs in the background: Android's
        # shell may run such jobs at a lower priority.
        shown = f'grep Cpus_allowed_list /proc/self/status; echo $$ > {self._pid_file}; exec "$@"'
        pinned = [] if self.cpus is None else ["taskset", f"{sum(1 << cpu for cpu in self.cpus):x}"]
        once = quote([*pinned, "sh", "-c", shown, "sh", *program])
        loop = f"i=0; while [ $i -lt {times} ]; do {once} 2>&1 || exit $?; i=$((i+1)); done"
        return f"mkdir -p {FOLDER}; cd {FOLDER}; {loop}; {_SAY_END}; rm -f {self._pid_file}"

    def _check_cpus(self, text: str) -> None:
        if self.cpus is None:
            return
        got = parse_cpu_list(field_of(text, "Cpus_allowed_list"))
        if got != set(self.cpus):
            raise DeviceStableError(
                f"adb:{self._shell.serial}: the program was to run on CPUs {list(self.cpus)} but may run on "
                f"{sorted(got)}; a cpuset of the phone leaves them out, or they are offline"
            )

    def _with_log(self, text: str, mark: str) -> str:
        """Return ``text`` and what the program wrote to Android's log since ``mark``, if it writes there."""
        if self._runner.log_tag is None or "executorch:" in text:
            return text
        try:
            log = self._shell.run(f"logcat -d -v raw -s {self._runner.log_tag}")
        except CommandFailed:
            return text
        return f"{text}\n{log.rpartition(mark)[2]}"
