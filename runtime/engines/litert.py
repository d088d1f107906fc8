"""LiteRT (``.tflite``) through ``ai_edge_litert``, or ``tflite_runtime`` where only that is installed."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from runtime.engines.engine import ENGINES, Spec
from runtime.engines.tflite_age import too_new
from runtime.engines.tflite_plan import Plan, plan_of
from runtime.errors import DeviceStableError
from runtime.extras import require

# tflite_runtime is the older name of the same interpreter: boards whose Python is too old for
# ai_edge_litert have it.
_NEWER = "install a newer one (pip install 'edgekit[litert]', Python 3.11 or newer)"
_PACKAGES = (("ai_edge_litert", "ai-edge-litert"), ("tflite_runtime", "tflite-runtime"))


@ENGINES.register("litert")
class LiteRt:
    """One interpreter. LiteRT has no named methods here: ``graph`` is always the main one."""

    def __init__(self, path: str, graph: str, threads: int):
        package, distribution = next(
            (names for names in _PACKAGES if importlib.util.find_spec(names[0])), _PACKAGES[0]
        )
        interpreter = require(f"{package}.interpreter", extra="litert")
        self.version = f"{distribution} {version(distribution)}"
        self._threads = threads
        if package == "tflite_runtime" and (why := too_new(path)) is not None:
            raise DeviceStableError(
                f"too new for {self.version}: {why}; {_NEWER}, or run a float variant of the model"
            )
        try:
            self._interpreter: Any = interpreter.Interpreter(model_path=path, num_threads=threads)
            self._interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as err:
            raise DeviceStableError(_explain(str(err))) from err
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

    def plan(self) -> Plan:
        """Return which ops the delegate runs."""
        return plan_of(self._interpreter)

    def pool_size(self, extra_threads: int) -> int:
        # The calling thread computes too. Kernels outside the delegate may have pools of their own, of the
        # same size; they take turns with the delegate's.
        own = max(self._threads - 1, 1)
        return self._threads if extra_threads and extra_threads % own == 0 else extra_threads + 1


def _spec(detail: dict[str, Any]) -> Spec:
    return str(detail["name"]), np.dtype(detail["dtype"]).name, tuple(int(side) for side in detail["shape"])


def _explain(message: str) -> str:
    new_op = re.search(r"Didn't find op for builtin opcode '(\w+)' version '(\d+)'", message)
    if new_op is not None:
        hint = f"it needs {new_op[1]} version {new_op[2]}, which this LiteRT has not: {_NEWER}"
    elif "custom op" in message:
        hint = "LiteRT alone does not know this op, only the application the file was made for does"
    else:
        hint = "the file is damaged, or needs a newer LiteRT"
    return f"LiteRT cannot load it ({message}); {hint}"
