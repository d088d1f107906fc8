"""The programs in C and C++, built with sanitizers: any fault in them ends them with a report."""

from __future__ import annotations

import itertools
import json
import os
import resource
import shutil
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec

from runtime.device.actuators import Journal
from runtime.device.actuators.states import PolicyState
from runtime.device.emulation.steal import find_compiler
from runtime.device.soc.tree import SocTree
from runtime.engines.native.libraries import installed_libraries
from runtime.engines.native.runner import SOURCES
from runtime.errors import DeviceStableError
from tests.benchmarks.fuzz.surface import Prepared, Sample, surface
from tests.places import DATA
from tests.runtime.govern.compiled.compiled import emit_toy
from tests.runtime.phone import PROFILE

_SANITIZED = (
    "-O1",
    "-g",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "-fno-omit-frame-pointer",
)
_COMMANDS = (
    b"12.5\n2.8\ndeadline 33.3\ncap_mw 1500\ncap_khz big 1500000\ncap_khz little inf\ncap_mw inf\n4.0\n9e3\n"
)
_WAIT_S = 15.0
_FAULTS = (b"Sanitizer", b"runtime error")


class SanitizerReport(Exception):
    """A native program did what no program may, or ended by a signal."""


def build_governor(folder: Path) -> Path:
    """Return the governor of the toy phone, built with sanitizers.

    Raises:
        DeviceStableError: there is no compiler here that has them.
    """
    compiler = find_compiler()
    if compiler is None:
        raise DeviceStableError("no C compiler (cc, gcc, clang)")
    emitted = emit_toy(folder, fps=200)[1].folder
    program = folder / "governor"
    _build(
        [
            compiler,
            "-std=c99",
            "-D_GNU_SOURCE",
            *_SANITIZED,
            *map(str, emitted.glob("*.c")),
            "-o",
            str(program),
        ]
    )
    return program


def build_runner(folder: Path) -> Path:
    """Return the native ExecuTorch runner, built with sanitizers; its libraries are as they come.

    Raises:
        DeviceStableError: there is no cmake or no compiler here that has them.
        MissingExtra: ExecuTorch is not installed.
    """
    root = installed_libraries().root
    if shutil.which("cmake") is None:
        raise DeviceStableError("no cmake")
    options = {
        "EXECUTORCH_ROOT": str(root),
        "CMAKE_BUILD_TYPE": "Debug",
        "CMAKE_CXX_FLAGS": " ".join(_SANITIZED),
    }
    defines = [f"-D{name}={value}" for name, value in options.items()]
    _build(["cmake", "-S", str(SOURCES), "-B", str(folder / "build"), *defines])
    _build(["cmake", "--build", str(folder / "build"), "--parallel", "2"])
    os.environ["LD_LIBRARY_PATH"] = str(root / "lib")
    return folder / "build" / "edgekit-runner"


def _build(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DeviceStableError(f"no build with sanitizers here: {done.stderr[-300:] or done.stdout[-300:]}")


def _talk(command: Sequence[object], data: bytes, statuses: tuple[int, ...]) -> None:
    """Give ``data`` to a program on stdin and see it end as it should."""
    done = subprocess.run(
        list(map(str, command)), input=data, capture_output=True, timeout=_WAIT_S, check=False
    )
    if done.returncode not in statuses or any(fault in done.stderr for fault in _FAULTS):
        raise SanitizerReport(f"status {done.returncode}: {done.stderr[-3000:].decode(errors='replace')}")


def _without_limits() -> None:
    """Sanitizers reserve more addresses than a campaign lets its readers have."""
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    os.environ |= {"ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "print_stacktrace=1"}


@surface("c-governor", quick=0, share=2)
def c_governor(folder: Path) -> Prepared:
    """Commands on stdin, datagrams at a socket, notes of a killed run, and options, of the governor in C."""
    _without_limits()
    program = build_governor(folder)
    tree = SocTree(PROFILE, folder / "root", ("schedutil", "userspace"))
    journal = Journal(folder / "journal")
    path = journal.write(PolicyState(str(max(tree.policies)), "schedutil", 600_000, 2_400_000, 900_000))
    note = msgspec.json.encode(msgspec.json.decode(path.read_bytes()) | {"pid": 4_194_303})
    path.unlink()
    left = path.with_name(path.name.replace(str(os.getpid()), "4194303"))
    options = b"--fps\n30\n--dry-run\n--pid\n1\n--deadline-ms\n5.5\n"
    samples = (
        *(Sample(name, _COMMANDS, "text") for name in ("stdin", "stdin", "datagrams")),
        Sample("note", note, "json"),
        Sample("options", options, "text"),
    )
    command = [program, "--root", tree.root, "--state", journal.folder]
    numbers = itertools.count()

    def read(sample: Sample, data: bytes) -> None:
        if sample.name == "stdin":
            _talk(command, data, (0,))
        elif sample.name == "options":
            words = [os.fsdecode(word) for word in data.replace(b"\0", b"").split(b"\n")[:-1]]
            words = [word[:1000] for word in words if not word.startswith(("--s", "--r"))]
            _talk([*command, "--dry-run", *words], _COMMANDS, (0, 1, 2))
        elif sample.name == "note":
            left.write_bytes(data)
            _talk(command, b"2.8\n", (0, 1))
            left.unlink(missing_ok=True)
        else:
            _datagrams([*command, "--dry-run"], Path(f"socket{next(numbers)}"), data)

    return Prepared(samples, read)


def _datagrams(command: Sequence[object], place: Path, data: bytes) -> None:
    words = list(map(str, [*command, "--socket", place]))
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()  # its first row: it listens
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        for line in data[: 1 << 16].split(b"\n"):
            try:
                client.sendto(line, str(place))
            except OSError:  # too long for a datagram, or it is gone, which its status tells
                break
    process.terminate()
    _, said = process.communicate(timeout=_WAIT_S)
    if process.returncode != 128 + 15 or any(fault in said for fault in _FAULTS):
        raise SanitizerReport(f"status {process.returncode}: {said[-3000:].decode(errors='replace')}")


@surface("c-runner", quick=0, share=2)
def c_runner(folder: Path) -> Prepared:
    """Requests of the native ExecuTorch runner: lines of JSON and the raw bytes of arrays behind them."""
    _without_limits()
    program = build_runner(folder)
    array = {"dtype": "float32", "shape": [1, 3, 8, 8], "size_bytes": 768}
    load = {"type": "Load", "engine": "executorch", "path": str(DATA / "sum.pte"), "graph": "forward"}
    requests = [
        (load | {"threads": 1, "cpus": [0], "with_profiler": True}, b""),
        ({"type": "Run", "inputs": [array], "want_outputs": True}, bytes(768)),
        ({"type": "Sample", "inputs": [array], "warmup": 1, "runs": 2, "period_ns": 100}, bytes(768)),
        ({"type": "Profile", "inputs": [array], "warmup": 1, "runs": 2}, bytes(768)),
    ]
    lines = [json.dumps(head).encode() for head, _ in requests]
    samples = tuple(
        Sample(str(head["type"]), line, "json") for (head, _), line in zip(requests, lines, strict=True)
    )

    def read(sample: Sample, data: bytes) -> None:
        if _is_long(data):
            return  # it would be at work for days, as asked
        sent = b"".join(
            (data if head["type"] == sample.name else line) + b"\n" + blob
            for (head, blob), line in zip(requests, lines, strict=True)
        )
        _talk([program], sent, (0, 1))

    return Prepared(samples, read)


def _is_long(data: bytes) -> bool:
    try:
        head = json.loads(data)
        counts = [head.get(name) for name in ("warmup", "runs", "period_ns")]
    except (ValueError, AttributeError, RecursionError):
        return False
    return any(isinstance(count, int | float) and count > 1000 for count in counts)
