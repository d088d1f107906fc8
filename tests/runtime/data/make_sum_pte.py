"""Makes sum.pte, 3 kB: ReLU of a 1x1 convolution that adds the three channels and 0.5, on XNNPACK.

It is kept as a file because the exporter needs some fifteen seconds:
python tests/runtime/data/make_sum_pte.py (written with executorch 1.5.1).
"""

from pathlib import Path

import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import to_edge_transform_and_lower

model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 1), torch.nn.ReLU()).eval()
with torch.no_grad():
    model[0].weight.fill_(1.0)
    model[0].bias.fill_(0.5)
exported = torch.export.export(model, (torch.randn(1, 3, 8, 8),))
program = to_edge_transform_and_lower(exported, partitioner=[XnnpackPartitioner()]).to_executorch()
Path(__file__).with_name("sum.pte").write_bytes(program.buffer)
