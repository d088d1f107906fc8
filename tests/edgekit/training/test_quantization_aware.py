import copy

import pytest
import torch
from torch import nn

from edgekit.data import load_dataset
from edgekit.models.layers import SqueezeExcite
from edgekit.nn import DynamicConv2d
from edgekit.training import QuantizationAware, Recipe, Trainer, evaluate
from edgekit.training.quantization_aware import install, quantised_layers, remove, round_input, round_weight

# So coarse that the weights lose half of the accuracy: what training wins back is far above chance, on any
# machine's arithmetic.
BITS, LEVELS = 2, 1


def net():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU6(),
        nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False), nn.BatchNorm2d(8), nn.ReLU6(),
        nn.Conv2d(8, 16, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU6(),
        nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(64, 10),
    )  # fmt: skip


def fit(model, data, folder, epochs, lr, hooks=()):
    folder.mkdir()
    recipe = Recipe(epochs=epochs, lr=lr, batch_size=32, device="cpu", augment=False, warmup_epochs=0)
    Trainer(model, recipe, hooks).fit(data, folder, identity={}, progress=False)


def rounded_accuracy(model, data):
    rounded = copy.deepcopy(model)
    install(rounded, LEVELS)
    return evaluate(rounded, data.test)


def test_it_wins_back_what_coarse_weights_lose_and_plain_training_does_not(tmp_path):
    digits = load_dataset("digits", image_size=8)
    model = net()
    fit(model, digits, tmp_path / "float", epochs=8, lr=0.1)
    plain, aware = copy.deepcopy(model), copy.deepcopy(model)
    fit(plain, digits, tmp_path / "plain", epochs=4, lr=0.02)
    fit(aware, digits, tmp_path / "aware", epochs=4, lr=0.02, hooks=[QuantizationAware(BITS)])
    before = evaluate(model, digits.test)
    lost = before - rounded_accuracy(model, digits)

    assert lost > 0.3  # rounding after the training alone
    assert before - rounded_accuracy(aware, digits) < lost / 3
    assert rounded_accuracy(aware, digits) > rounded_accuracy(plain, digits) + 0.2


def test_the_network_is_an_ordinary_one_before_and_after(tmp_path, toy_data):
    model = net()
    x = torch.rand(4, 1, 8, 8)
    model.eval()
    exact, names = model(x), list(model.state_dict())
    install(model, LEVELS)
    assert list(model.state_dict()) == names
    assert not torch.equal(model(x), exact)
    remove(model)
    assert torch.equal(model(x), exact)
    assert not any("forward" in layer.__dict__ for layer in quantised_layers(model))


def test_blocks_that_stay_float_when_exported_are_left_alone():
    model = nn.Sequential(nn.Conv2d(3, 8, 1), DynamicConv2d(8, 8, 1), SqueezeExcite(8, 8), nn.Linear(8, 2))
    assert quantised_layers(model) == [model[0], model[3]]


def test_rounding_a_weight_commutes_with_folding_batch_norm():
    weight, gain = torch.randn(8, 3, 3, 3), torch.rand(8, 1, 1, 1) + 0.1
    folded_then_rounded, rounded_then_folded = round_weight(weight * gain), round_weight(weight) * gain
    assert torch.allclose(folded_then_rounded, rounded_then_folded, atol=1e-5)


def test_inputs_have_256_values_at_most_and_gradients_pass():
    x = torch.randn(2, 3, 16, 16, requires_grad=True)
    y = round_input(x)
    assert len(y.unique()) <= 256
    y.sum().backward()
    assert x.grad.mean() == pytest.approx(1.0, abs=0.05)  # but for what is beyond the range
