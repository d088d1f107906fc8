"""Int8 files are held against what rounding alone does, and their float form against eager."""

import pytest
import torch
from torch import nn

from edgekit.export import QuantizeOptions, export_bundle
from edgekit.export.preflight import prepare
from edgekit.export.quantize.float_file import FloatFile
from edgekit.export.quantize.gate import check_quantized
from edgekit.export.quantize.run import make_plan
from edgekit.export.quantize.simulate import expected_sqnr_db
from runtime.bundle import OutputParity, Parity
from runtime.errors import ParityError
from tests.edgekit.export.quantize import nets


def simulated(precision, **choices):
    ready = prepare(nets.origin(nets.build(nets.Static)).graphs["forward"])
    plan = make_plan(precision, ready, QuantizeOptions(calibration=nets.calibration(), **choices))
    (sqnr_db,) = expected_sqnr_db(ready.lowered, plan, ready.source.frames, ready.expected)
    return sqnr_db


def test_the_simulation_knows_what_the_plan_rounds():
    every = ("stem", "expand", "depthwise", "project")
    dynamic, static, int8_io = simulated("dynamic_wi8_afp32"), simulated("static_wi8_ai8"), None
    assert 25 < static < dynamic < 60
    assert simulated("static_wi8_ai8", keep_float=every) > static
    int8_io = simulated("static_wi8_ai8", int8_io=True)
    assert 10 < int8_io < static


def parity(sqnr_db):
    output = OutputParity("scores", 0.1, sqnr_db, 1.0)
    return Parity(0.1, sqnr_db, 1.0, 1, "noise", outputs=(output,))


def test_a_file_far_below_the_simulation_is_refused():
    with pytest.raises(
        ParityError, match=r"17.0 dB.*rounding alone leaves 43.0 dB, at least 31.0 .*--layers"
    ):
        check_quantized("net", parity(17.0), [43.0])
    check_quantized("net", parity(35.0), [43.0])
    check_quantized("net", parity(41.0), [90.0])
    check_quantized("net", parity(12.0), [15.0])
    check_quantized("net", parity(12.0), [None])
    with pytest.raises(ParityError, match="at least 6 are needed"):
        check_quantized("net", parity(5.0), [8.0])


class Wrong(nn.Module):
    """Its softmax is another one in the file: see the test."""

    def __init__(self):
        super().__init__()
        self.conv, self.last = nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, nets.CLASSES, 1)

    def forward(self, x):
        return (self.last(torch.relu(self.conv(x))) + 0.2).mean((2, 3), keepdim=True).flatten(1)


def test_an_int8_file_that_loses_a_constant_is_refused(tmp_path, monkeypatch):
    put, choices = FloatFile.put_weights, QuantizeOptions(calibration=nets.calibration())
    origin = nets.origin(Wrong().eval())

    def put_without_offset(self, rounded, plan):
        put(self, rounded, plan)
        for name, _, path, op in self.ops:
            if name == "CONV_2D" and path == "last":
                self._put(op, 2, rounded.last.bias.detach().numpy())

    monkeypatch.setattr(FloatFile, "put_weights", put_without_offset)
    with pytest.raises(ParityError, match=r"with float activations differs .* by 2\.00e-01"):
        export_bundle(
            origin, tmp_path / "net.edgekit", engines=["litert"], precisions=["dynamic_wi8_afp32"],
            quantize=choices,
        )  # fmt: skip


def test_int8_alone_is_checked_in_float_too(tmp_path, monkeypatch):
    from edgekit.export import executorch

    monkeypatch.setattr(executorch, "rewrite_ops", lambda program: program)
    with pytest.raises(ParityError, match="executorch-static_wi8_ai8's float form differs"):
        export_bundle(
            nets.origin(Softmax().eval()), tmp_path / "net.edgekit", engines=["executorch"],
            precisions=["static_wi8_ai8"], quantize=QuantizeOptions(),
        )  # fmt: skip


class Softmax(Wrong):
    def forward(self, x):
        y = self.conv(x)
        return self.last(y * y.softmax(-1)).mean((2, 3), keepdim=True).flatten(1)
