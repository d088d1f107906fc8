"""A file that is wrong in one place is refused; one that only rounds as it should passes."""

import numpy as np
import pytest
import torch

from edgekit.export import QuantizeOptions, export_bundle
from edgekit.export.litert import export_litert, module_names
from edgekit.export.preflight import prepare
from edgekit.export.quantize import run
from edgekit.export.quantize.constants import check_constants, read_constants
from edgekit.export.quantize.gate import check_fake_quantised
from edgekit.export.quantize.reference import FakeQuantised, run_plainly
from edgekit.export.quantize.rounding import round_weights
from edgekit.export.quantize.tflite import quantize_tflite
from runtime.errors import ParityError
from tests.edgekit.export.quantize import nets

ai_edge = pytest.importorskip("ai_edge_litert.tools.flatbuffer_utils")
FRAMES = tuple((images,) for images in nets.images(6, 3)[:, None])


@pytest.fixture(scope="module")
def files():
    """Return the float file with rounded weights and the int8 file of one network."""
    ready = prepare(nets.origin(nets.build(nets.Static)).graphs["forward"])
    plan = run.make_plan("static_wi8_ai8", ready, QuantizeOptions(calibration=nets.calibration()))
    names = module_names(ready.lowered)
    source = export_litert(ready.lowered, ready.example)
    data, rounded = quantize_tflite(
        source.data, ready.lowered, round_weights(ready.lowered, plan), plan, names
    )
    return rounded, data


def test_a_right_file_has_no_wrong_constant_and_does_as_its_program(files):
    rounded, data = files
    fake = FakeQuantised(rounded, data)
    assert fake.wrong == []
    outputs = [run_plainly(one, FRAMES) for one in (data, fake.data, rounded)]
    check_fake_quantised("net", ["scores"], *outputs)
    error = np.abs(np.stack(outputs[0]) - np.stack(outputs[1])).max()
    assert 0 < error < np.abs(np.stack(outputs[2]) - np.stack(outputs[1])).max() * 3


def damage(data, change):
    """Return ``data`` after ``change(tensors, buffers, conv)`` with the first convolution that is int8."""
    model = ai_edge.read_model_from_bytearray(bytearray(data))
    graph = model.subgraphs[0]
    convs = [op for op in graph.operators if ai_edge.opcode_to_name(model, op.opcodeIndex) == "CONV_2D"]
    change(graph.tensors, model.buffers, next(op for op in convs if graph.tensors[op.inputs[0]].type == 9))
    return bytes(ai_edge.convert_object_to_bytearray(model))


def lose_bias(tensors, buffers, conv):
    bias = np.asarray(buffers[tensors[conv.inputs[2]].buffer].data).view(np.int32).copy()
    bias[np.abs(bias).argmax()] = 0
    buffers[tensors[conv.inputs[2]].buffer].data = bias.view(np.uint8)


def swap_channels(tensors, buffers, conv):
    weight = tensors[conv.inputs[1]]
    values = np.asarray(buffers[weight.buffer].data).view(np.int8).reshape(weight.shape).copy()
    values[[0, 1]] = values[[1, 0]]
    buffers[weight.buffer].data = values.ravel().view(np.uint8)


def change_weight_step(tensors, buffers, conv):
    steps = np.array(tensors[conv.inputs[1]].quantization.scale)
    steps[2] *= 1.1
    tensors[conv.inputs[1]].quantization.scale = steps


def change_step_of_a_map(tensors, buffers, conv):
    note = tensors[conv.inputs[0]].quantization
    note.scale = np.array(note.scale) * 1.1


@pytest.mark.parametrize("change", [lose_bias, swap_channels, change_weight_step, change_step_of_a_map])
def test_one_wrong_constant_in_a_tflite_file_is_found(files, change):
    rounded, data = files
    assert FakeQuantised(rounded, damage(data, change)).wrong


def test_export_refuses_a_damaged_tflite_file(tmp_path, monkeypatch):
    def quantize_and_damage(*args):
        data, rounded = quantize_tflite(*args)
        return damage(data, lose_bias), rounded

    monkeypatch.setattr(run, "quantize_tflite", quantize_and_damage)
    with pytest.raises(ParityError, match="other constants than the rounded ones in 1 places, the first in "):
        export(tmp_path, "litert")


def test_export_refuses_a_pte_file_that_lost_a_bias(tmp_path, monkeypatch):
    export_right = run.export_executorch

    def export_wrong(model, example, program):
        name = next(name for name in program.state_dict if name.endswith("bias") and "expand" in name)
        program.state_dict[name] = torch.nn.Parameter(torch.zeros_like(program.state_dict[name]))
        return export_right(model, example, program)

    monkeypatch.setattr(run, "export_executorch", export_wrong)
    with pytest.raises(ParityError, match="dB of signal to noise against the fake-quantised program"):
        export(tmp_path, "executorch")


def export(tmp_path, engine):
    export_bundle(
        nets.origin(nets.build(nets.Static)), tmp_path / "net.edgekit", engines=[engine],
        precisions=["static_wi8_ai8"], quantize=QuantizeOptions(calibration=nets.calibration()),
    )  # fmt: skip


def test_a_constant_that_torchao_changes_is_found():
    conv = torch.nn.Conv2d(3, 4, 1)
    graph = torch.export.export(conv, (torch.rand(1, 3, 4, 4),)).module()
    before = read_constants(graph)
    check_constants(before, before)
    after = {key: one._replace(values=one.values.flip(0)) for key, one in before.items()}
    with pytest.raises(ParityError, match="into conv2d; keep the module"):
        check_constants(before, after)


def rounded_twice(sqnr_db):
    """Return exact outputs and two samples of rounding noise on them."""
    rng = np.random.default_rng(0)
    exact = rng.normal(0, 1, (8, 1, 1, 10))
    noise = 10 ** (-sqnr_db / 20)
    return exact, *(exact + rng.normal(0, noise, exact.shape) for _ in range(2))


@pytest.mark.parametrize("sqnr_db", [12, 20, 35])
def test_two_samples_of_the_same_noise_pass_and_twice_as_much_does_not(sqnr_db):
    exact, one, other = rounded_twice(sqnr_db)
    check_fake_quantised("net", ["scores"], one, other, exact)
    with pytest.raises(ParityError, match="against the fake-quantised program"):
        check_fake_quantised("net", ["scores"], exact + 5 * (one - exact), other, exact)


def test_labels_may_change_by_rounding_but_not_more():
    rng = np.random.default_rng(0)
    exact = rng.integers(0, 5, (1, 1, 20, 20))
    fake, wrong = exact.copy(), exact.copy()
    fake[0, 0, 0] += 1
    wrong[0, 0, :4] += 1
    check_fake_quantised("net", ["labels"], [[fake[0]]], [[exact[0]]], [[exact[0]]])
    with pytest.raises(ParityError, match=r"80.0% of the values of labels as the fake-quantised program"):
        check_fake_quantised("net", ["labels"], [[wrong[0]]], [[exact[0]]], [[exact[0]]])
