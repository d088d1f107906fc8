"""A campaign: each surface in a process of its own, watched for signals and for hangs."""

from __future__ import annotations

import base64
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks.fuzz.trial import Finding

HANG_S = 20.0
_START_S = 180.0  # importing torch and making the samples, on a busy machine
_DIED = "the process ended with status"
_MOST_DEATHS = 20  # of one surface: then its time is better spent on mending it


class Watched:
    """Tries one surface for some time, whatever becomes of the processes that do it.

    Attributes:
        tried: mutations so far.
        kinds: findings by kind.
    """

    def __init__(self, name: str, seed: int, seconds: float):
        self.name, self.tried, self.kinds = name, 0, Counter[str]()
        self._seed, self._end_s = seed, time.monotonic() + seconds
        self.unclean: set[int] = set()

    def findings(self) -> Iterator[Finding]:
        """Yield what is found, as it is found."""
        first = deaths = 0
        while (left_s := self._end_s - time.monotonic()) > 0 and deaths < _MOST_DEATHS:
            has_died = False
            with tempfile.TemporaryDirectory(prefix="edgekit-fuzz-", ignore_cleanup_errors=True) as folder:
                for found in self._process(first, left_s, Path(folder)):
                    self.kinds[found.kind] += 1
                    self.unclean.add(found.number)
                    has_died = has_died or found.detail.startswith(_DIED)
                    yield found
            if not has_died or self.tried == first:
                break
            first, deaths = self.tried, deaths + 1

    def _process(self, first: int, seconds: float, folder: Path) -> Iterator[Finding]:
        words = [self.name, str(self._seed), str(first), str(seconds), str(folder)]
        program = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.fuzz.worker", *words]
        errors = tempfile.TemporaryFile()  # noqa: SIM115  closed below
        process = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=errors, start_new_session=True)
        sample, is_hanging = "", False
        try:
            for line in _lines(process, HANG_S):
                if "finding" in line:
                    shown = line["finding"]
                    yield Finding(**(shown | {"data": base64.b64decode(shown["data"])}))
                elif "try" in line:
                    self.tried, sample = line["try"] + 1, line["sample"]
            is_hanging = process.poll() is None and not _ends(process)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            status = process.wait()
        errors.seek(0)
        words_said = errors.read()[-4000:].decode(errors="replace")
        errors.close()
        if status != 0:
            trying = folder / f"arena-{first}" / "tmp" / "trying"
            data = trying.read_bytes() if trying.is_file() else b""
            kind = "hang" if is_hanging else "signal" if status < 0 else "traceback"
            yield Finding(self.name, self.tried - 1, kind, sample, data, f"{_DIED} {status}: {words_said}")


def _ends(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        return False
    return True


def _lines(process: subprocess.Popen[bytes], patience_s: float) -> Iterator[dict[str, Any]]:
    """Yield what the process says, until it ends or says nothing for too long."""
    assert process.stdout is not None
    rest, patience = b"", _START_S
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while selector.select(patience):
            patience = patience_s
            chunk = os.read(process.stdout.fileno(), 1 << 20)
            if not chunk:
                return
            *lines, rest = (rest + chunk).split(b"\n")
            yield from map(json.loads, lines)
