"""LiteRT (``.tflite``) through ``ai_edge_litert``, or ``tflite_runtime`` where only that is installed."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType
from typing import TYPE_CHECKING, Any

from runtime.device.meters.memory import begin_load
from runtime.engines.engine import ENGINES, Spec
from runtime.engines.litert_errors import explain, newer
from runtime.engines.tflite_age import too_new
from runtime.engines.tflite_plan import ExecutionPlan, plan_of
from runtime.errors import DeviceStableError
from runtime.extras import require

if TYPE_CHECKING:
    import numpy as np

# tflite_runtime is the older name of the same interpreter: boards whose Python is too old for
# ai_edge_litert have it.
_PACKAGES = (("ai_edge_litert", "ai-edge-litert"), ("tflite_runtime", "tflite-runtime"))
_MOST_POOLS = 3  # XNNPACK's; outside it ruy's, and Eigen's for some float convolutions


@ENGINES.register("litert")
class LiteRt:
    """One interpreter. LiteRT has no named methods here: ``graph`` is always the main one."""

    def __init__(self, path: str, graph: str, threads: int):
        package, distribution = next(
            (names for names in _PACKAGES if importlib.util.find_spec(names[0])), _PACKAGES[0]
        )
        self.version = f"{distribution} {_version(distribution, require(package, extra='litert'))}"
        require("numpy", extra="litert")  # the interpreter would only say that some module is missing
        interpreter = require(f"{package}.interpreter", extra="litert")
        self._threads = threads
        if package == "tflite_runtime" and (why := too_new(path)) is not None:
            raise DeviceStableError(
                f"too new for {self.version}: {why}; {newer()}, or run a float variant of the model"
            )
        self.held_bytes = begin_load()
        start_ns = time.perf_counter_ns()
        try:
            self._interpreter: Any = interpreter.Interpreter(model_path=path, num_threads=threads)
            self._interpreter.allocate_tensors()
        except (RuntimeError, ValueError, SystemError) as err:
            raise DeviceStableError(explain(str(err), self.version)) from err
        self.load_ns = time.perf_counter_ns() - start_ns
        self._input_details = self._interpreter.get_input_details()
        self._output_details = self._interpreter.get_output_details()
        self.inputs = tuple(_spec(detail) for detail in self._input_details)
        self.outputs = tuple(_spec(detail) for detail in self._output_details)

    def set_inputs(self, inputs: Sequence[np.ndarray]) -> None:
        for detail, values in zip(self._input_details, inputs, strict=True):
            self._interpreter.set_tensor(detail["index"], values)

    def invoke(self) -> None:
        self._interpreter.invoke()

    def get_outputs(self) -> list[np.ndarray]:
        return [self._interpreter.get_tensor(detail["index"]) for detail in self._output_details]

    def plan(self) -> ExecutionPlan:
        """Return which ops the delegate runs."""
        return plan_of(self._interpreter)

    def pool_size(self, extra_threads: int) -> int:
        """Return the size of each pool: ops outside the delegate have pools of their own, used in turn."""
        workers = self._threads - 1  # the calling thread computes too
        full_pools = [pools * workers for pools in range(2, _MOST_POOLS + 1)]
        if not self._is_delegated and extra_threads in full_pools:
            return self._threads
        return extra_threads + 1

    @cached_property
    def _is_delegated(self) -> bool:
        plan = self.plan()
        return sum(map(len, plan.partitions)) == len(plan.ops)


def _spec(detail: dict[str, Any]) -> Spec:
    np = require("numpy", extra="litert")
    return str(detail["name"]), np.dtype(detail["dtype"]).name, tuple(int(side) for side in detail["shape"])


def _version(distribution: str, package: ModuleType) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:  # a nightly, or from the board's own package manager
        return str(getattr(package, "__version__", "of unknown version"))
