"""LiteRT's C interface, as far as a profile needs it: the Python packages do not reach its profiler.

https://github.com/google-ai-edge/LiteRT/tree/main/litert/c
"""

from __future__ import annotations

import ctypes
import importlib.util
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from runtime.errors import DeviceStableError, MissingExtra
from runtime.extras import install_line

_OLDEST = (2, 3)  # earlier ones take other arguments
_LIBRARY = "libLiteRt.dylib" if sys.platform == "darwin" else "libLiteRt.so"
_CPU = 1  # kLiteRtHwAcceleratorCpu
_READ, _WRITE = 0, 1
# litert/c/litert_common.h
_STATUS = {
    1: "an invalid argument", 2: "too little memory", 3: "a failure at run time", 4: "a missing input",
    5: "something it does not support", 6: "something it does not find", 8: "an unknown version",
    500: "a file it cannot read", 501: "an invalid flatbuffer", 504: "a failed compilation",
    1000: "an index out of bounds", 1001: "an invalid type of the graph", 1002: "an invalid graph",
}  # fmt: skip
_OF_THE_FILE = (501, 1000, 1001, 1002)
_DAMAGED = "the file is damaged: copy or convert it again"
_NOT_OURS = "its profiler cannot take this file; `edgekit bench` may still time it as a whole"
_TYPE_BYTES = 1024  # more than a LiteRtRankedTensorType of any version
_EVENT_KINDS = {1 << i for i in range(9)}
Handle = ctypes.c_void_p


class Event(ctypes.Structure):
    """ProfiledEventData as the library is built (C++): its memory figures have three fields, not two."""

    _fields_ = [
        ("tag", ctypes.c_void_p),
        ("kind", ctypes.c_int),
        ("start_us", ctypes.c_uint64),
        ("elapsed_us", ctypes.c_uint64),
        ("memory", ctypes.c_int64 * 6),
        ("index", ctypes.c_uint64),
        ("detail", ctypes.c_uint64),
        ("source", ctypes.c_int),
    ]


class CompiledModel:
    """A ``.tflite`` file on the CPU with the XNNPACK delegate and the profiler on.

    Args:
        path: the file.
        threads: size of XNNPACK's pool.

    Raises:
        MissingExtra: ai-edge-litert is not installed.
        DeviceStableError: it is too old, or cannot load the file.
    """

    def __init__(self, path: str, threads: int):
        self._library = _load_library()
        self._libc = ctypes.CDLL(None)
        self._libc.strdup.restype = Handle
        self._environment, self._model, self._options = Handle(), Handle(), Handle()
        self._compiled, self._profiler, self._signature = Handle(), Handle(), Handle()
        self._call("CreateEnvironment", 0, None, ctypes.byref(self._environment))
        self._call("CreateModelFromFile", self._environment, path.encode(), ctypes.byref(self._model))
        self._call("CreateOptions", ctypes.byref(self._options))
        self._call("SetOptionsHardwareAccelerators", self._options, _CPU)
        self._add_options("runtime_options_string", "enable_profiling = true\n")
        self._add_options("xnnpack", f"num_threads = {threads}\n")
        self._call(
            "CreateCompiledModel", self._environment, self._model, self._options, ctypes.byref(self._compiled)
        )
        self._call("CompiledModelGetProfiler", self._compiled, ctypes.byref(self._profiler))
        self._call("GetModelSignature", self._model, ctypes.c_size_t(0), ctypes.byref(self._signature))
        self._inputs = dict(self._buffers("Input"))
        self._outputs = dict(self._buffers("Output"))
        self._input_array = (Handle * len(self._inputs))(*self._inputs.values())
        self._output_array = (Handle * len(self._outputs))(*self._outputs.values())

    def write(self, name: str, data: bytes) -> None:
        """Fill the input called ``name``."""
        at = self._lock(self._inputs[name], _WRITE)
        ctypes.memmove(at, data, len(data))
        self._call("UnlockTensorBuffer", Handle(self._inputs[name]))

    def read(self, name: str, size_bytes: int) -> bytes:
        """Return the bytes of the output called ``name``."""
        at = self._lock(self._outputs[name], _READ)
        data = ctypes.string_at(at, size_bytes)
        self._call("UnlockTensorBuffer", Handle(self._outputs[name]))
        return data

    def run(self) -> None:
        """Run one frame."""
        self._call(
            "RunCompiledModel",
            self._compiled,
            ctypes.c_size_t(0),
            ctypes.c_size_t(len(self._input_array)),
            self._input_array,
            ctypes.c_size_t(len(self._output_array)),
            self._output_array,
        )

    def start_profiler(self) -> None:
        """Forget the events so far and collect new ones."""
        self._call("ResetProfiler", self._profiler)
        self._call("StartProfiler", self._profiler)

    def stop_profiler(self) -> list[tuple[str, Event]]:
        """Return tag and figures of each event since the start."""
        self._call("StopProfiler", self._profiler)
        count = ctypes.c_int()
        self._call("GetNumProfilerEvents", self._profiler, ctypes.byref(count))
        events = (Event * count.value)()
        self._call("GetProfilerEvents", self._profiler, count, events)
        if any(event.kind not in _EVENT_KINDS or event.source not in (0, 1, 2) for event in events):
            installed = version("ai-edge-litert")
            raise DeviceStableError(f"ai-edge-litert {installed} lays out its profile otherwise; install 2.3")
        return [((ctypes.string_at(event.tag) if event.tag else b"").decode(), event) for event in events]

    def _call(self, name: str, *arguments: Any) -> None:
        function = getattr(self._library, f"LiteRt{name}")
        function.restype = ctypes.c_int
        status = function(*arguments)
        if status != 0:
            raise DeviceStableError(
                f"LiteRt{name} failed with {_STATUS.get(status, f'status {status}')}; "
                + (_DAMAGED if status in _OF_THE_FILE else _NOT_OURS)
            )

    def _add_options(self, identifier: str, toml: str) -> None:
        options = Handle()
        payload = Handle(self._libc.strdup(toml.encode()))  # the library frees it
        free = self._libc.free
        self._call("CreateOpaqueOptions", identifier.encode(), payload, free, ctypes.byref(options))
        self._call("AddOpaqueOptions", self._options, options)

    def _buffers(self, side: str) -> Iterator[tuple[str, int | None]]:
        """Make a buffer for each input or output; yield the tensor's name and the buffer."""
        count = ctypes.c_size_t()
        self._call(f"GetNumSignature{side}s", self._signature, ctypes.byref(count))
        for i in range(count.value):
            tensor, requirements, buffer, name = Handle(), Handle(), Handle(), ctypes.c_char_p()
            kind = ctypes.create_string_buffer(_TYPE_BYTES)
            place = ctypes.c_size_t(i)
            self._call(f"GetSignature{side}TensorByIndex", self._signature, place, ctypes.byref(tensor))
            self._call("GetTensorName", tensor, ctypes.byref(name))
            self._call("GetRankedTensorType", tensor, kind)
            self._call(
                f"GetCompiledModel{side}BufferRequirements",
                self._compiled,
                ctypes.c_size_t(0),
                place,
                ctypes.byref(requirements),
            )
            self._call(
                "CreateManagedTensorBufferFromRequirements",
                self._environment,
                kind,
                requirements,
                ctypes.byref(buffer),
            )
            yield (name.value or b"").decode(), buffer.value

    def _lock(self, buffer: int | None, mode: int) -> Handle:
        at = Handle()
        self._call("LockTensorBuffer", Handle(buffer), ctypes.byref(at), mode)
        return at


def _load_library() -> ctypes.CDLL:
    install = install_line("litert")
    try:
        installed = version("ai-edge-litert")
    except PackageNotFoundError as err:
        raise MissingExtra(f"ai-edge-litert is not installed; run: {install}") from err
    if tuple(int(part) for part in installed.split(".")[:2]) < _OLDEST:
        raise DeviceStableError(
            f"ai-edge-litert {installed} has no profiler, 2.3 has; run: {install} --upgrade"
        )
    spec = importlib.util.find_spec("ai_edge_litert")
    assert spec is not None
    assert spec.origin is not None
    try:
        return ctypes.CDLL(str(Path(spec.origin).with_name(_LIBRARY)))
    except OSError as err:
        raise DeviceStableError(
            f"ai-edge-litert {installed} lacks {_LIBRARY} ({err}); run: {install} --upgrade"
        ) from err
