"""ExecuTorch (``.pte``) through its Python binding, which needs torch beside it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from runtime.device.meters.memory import begin_load
from runtime.engines.engine import ENGINES, Spec
from runtime.errors import DeviceStableError
from runtime.extras import require

if TYPE_CHECKING:
    import numpy as np

# torch::executor::ScalarType, runtime/core/portable_type/scalar_type.h
_DTYPES = {
    0: "uint8", 1: "int8", 2: "int16", 3: "int32", 4: "int64",
    5: "float16", 6: "float32", 7: "float64", 11: "bool",
}  # fmt: skip


@ENGINES.register("executorch")
class ExecuTorch:
    """One method of one program.

    Uses ``executorch.extension.pybindings._C``, the classes behind ``executorch.runtime``. Going
    through ``executorch.runtime`` imports the whole exporter for the sake of one warning: 4 s
    more per process (1.5.1), and a process is started for every measurement.
    """

    def __init__(self, path: str, graph: str, threads: int, *, with_etdump: bool = False):
        self._torch = require("torch", extra="executorch")  # its libraries must be loaded before _C's
        binding = require("executorch.extension.pybindings._C", extra="executorch")
        self.version = f"executorch {version('executorch')}"
        # ExecuTorch sizes its pool by the machine, not by the affinity. Only safe before a method is loaded.
        binding._unsafe_reset_threadpool(threads)
        self._pool_size = binding._threadpool_get_thread_count
        self.held_bytes = begin_load()
        start_ns = time.perf_counter_ns()
        try:
            self._program: Any = binding._load_program(
                path,
                enable_etdump=with_etdump,
                program_verification=binding.Verification.InternalConsistency,
            )
            names = [self._program.get_method_name(i) for i in range(self._program.num_methods())]
            if graph not in names and len(names) != 1:  # the only one needs no name
                raise DeviceStableError(
                    f"it has no method {graph!r}, only: {', '.join(names)}; choose one of them with --variant"
                )
            self._method = self._program.load_method(graph if graph in names else names[0])
        except RuntimeError as err:
            raise DeviceStableError(
                f"ExecuTorch cannot load it ({err}); the file is damaged, of a newer ExecuTorch, "
                "or holds an op outside the delegate that has no kernel here (error 0x14)"
            ) from err
        self.load_ns = time.perf_counter_ns() - start_ns
        meta = self._method.method_meta()
        try:
            self.inputs = tuple(
                _spec(f"input{i}", meta.input_tensor_meta(i)) for i in range(meta.num_inputs())
            )
            self.outputs = tuple(
                _spec(f"output{i}", meta.output_tensor_meta(i)) for i in range(meta.num_outputs())
            )
        except IndexError as err:
            raise DeviceStableError(
                f"an input or output is not a tensor but a number, text or nothing ({err}); "
                "export it with tensors only"
            ) from err
        self._frame: list[Any] = []
        self._results: Sequence[Any] = ()

    def set_inputs(self, inputs: Sequence[np.ndarray]) -> None:
        self._frame = [self._torch.from_numpy(values) for values in inputs]

    def invoke(self) -> None:
        self._results = self._method(self._frame)

    def get_outputs(self) -> list[np.ndarray]:
        return [result.numpy() for result in self._results]

    def pool_size(self, extra_threads: int) -> int:
        return int(self._pool_size())


def _spec(name: str, meta: Any) -> Spec:
    dtype = _DTYPES.get(meta.dtype())
    if dtype is None:
        raise DeviceStableError(
            f"{name} has scalar type {meta.dtype()}, unknown to numpy; export it as float32"
        )
    return name, dtype, tuple(meta.sizes())
