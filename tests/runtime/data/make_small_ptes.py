"""Makes small .pte files, 2 kB each, that have what sum.pte has not.

two.pte: int64 and float inputs, two outputs, no memory planned for either. int8.pte: int8 in, int32 and
bool out. methods.pte: two methods, none of them "forward". scalar.pte: an output that is no tensor.
python tests/runtime/data/make_small_ptes.py (written with executorch 1.5.1).
"""

from pathlib import Path

import torch
from executorch.exir import ExecutorchBackendConfig, to_edge
from executorch.exir.passes import MemoryPlanningPass

UNPLANNED = MemoryPlanningPass(alloc_graph_input=False, alloc_graph_output=False)


class Function(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.forward = function


def exported(function, *inputs):
    return torch.export.export(Function(function), inputs)


def write(name, programs, **settings):
    data = to_edge(programs).to_executorch(ExecutorchBackendConfig(**settings)).buffer
    Path(__file__).with_name(name).write_bytes(data)


def look_up(index, x):
    return torch.nn.functional.embedding(index, torch.arange(40.0).reshape(10, 4)) + x, index + 1


def double_and_sign(a):
    return a.to(torch.int32) * 2, a > 0


write(
    "two.pte",
    exported(look_up, torch.zeros(3, dtype=torch.int64), torch.zeros(3, 4)),
    memory_planning_pass=UNPLANNED,
)
write("int8.pte", exported(double_and_sign, torch.zeros(2, 3, dtype=torch.int8)))
write(
    "methods.pte",
    {
        "encode": exported(lambda x: x * 2, torch.zeros(2)),
        "decode": exported(lambda x: x + 3, torch.zeros(3)),
    },
)
write("scalar.pte", exported(lambda x: (x * 2, 3), torch.zeros(2)))
