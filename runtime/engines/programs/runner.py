"""The one interface behind which a program of others times a model on a phone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from runtime.registry import Registry

ON_PHONE = "device:"  # before the path of a program that is on the phone already


@dataclass(frozen=True)
class ProgramRequest:
    """What is to be timed.

    Attributes:
        model: path on the phone.
        threads: of the engine's pool.
        warmup: untimed frames after the cold one.
        runs: samples wanted in all.
        fps: pace of the frames; ``None`` runs them back to back.
    """

    model: str
    threads: int = 1
    warmup: int = 5
    runs: int = 30
    fps: float | None = None


@dataclass(frozen=True)
class Timings:
    """What a program's output says.

    Attributes:
        first_ms: the cold frame, ``None`` where it is not printed apart.
        samples_ms: latencies of single frames; one mean where the program prints nothing else.
        threads: that the program says it used, ``None`` where it does not say.
        load_ms: what reading the model took, where the program says.
        model_bytes: most memory it held over what it held before it read the model, likewise.
        note: what a reader of the samples must know, such as that they are a mean.
    """

    first_ms: float | None
    samples_ms: tuple[float, ...]
    threads: int | None = None
    note: str | None = None
    load_ms: float | None = None
    model_bytes: int | None = None


class ProgramRunner(Protocol):
    """A program on the phone that loads one model file and times it.

    Attributes:
        program: usual name of its file.
        engine: whose models it runs.
        environment: variable that says where it is.
        help_flag: makes it list its options; ``None`` where ``arguments`` needs no list.
        log_tag: where it writes to Android's log instead of to stdout and stderr.
    """

    program: str
    engine: str
    environment: str
    help_flag: str | None
    log_tag: str | None

    def invocations(self, request: ProgramRequest) -> int:
        """Return how often the program must be started to get all samples."""

    def arguments(self, request: ProgramRequest, options: str) -> list[str]:
        """Return its command line, without the program.

        Args:
            options: what it printed for ``help_flag``, empty if that is ``None``.

        Raises:
            DeviceStableError: this build of the program lacks an option that is needed.
        """

    def steady_arguments(self, request: ProgramRequest, options: str) -> list[str]:
        """Return the command line of one start whose last ``request.runs`` frames end with it, for a meter.

        Raises:
            DeviceStableError: see ``arguments``.
        """

    def steady_s(self, text: str, request: ProgramRequest) -> float:
        """Return how long the last ``request.runs`` frames of such a start took.

        Raises:
            DeviceStableError: see ``parse``.
        """

    def parse(self, text: str, request: ProgramRequest) -> Timings:
        """Return the timings in the output of all invocations.

        Raises:
            DeviceStableError: there are none; the output's end is quoted.
        """


RUNNERS: Registry[ProgramRunner] = Registry("runner")


def last_words(text: str, length: int = 300) -> str:
    """Return the end of a program's output as one line, for an error message."""
    return " ".join(text.split())[-length:] or "nothing"
