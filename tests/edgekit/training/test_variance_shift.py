"""Dropout in front of batch norm, and UOut in its place (1801.05134)."""

import pytest
import torch
from click.testing import CliRunner
from torch import nn

from edgekit.cli import cli
from edgekit.models import MODELS, ModelSpec, build_model
from edgekit.nn import UOut
from edgekit.training import Recipe, Trainer, find_shifted_norms, make_techniques, variance_ratios
from runtime.errors import TrainingError

X = torch.randn(1, 1, 8, 8, generator=torch.Generator().manual_seed(0))


class Branches(nn.Module):
    """One dropout reaches a norm through an addition, the other only the classifier."""

    def __init__(self, noise=None):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU())
        self.drop = noise or nn.Dropout(0.5)
        self.side = nn.Conv2d(16, 16, 3, padding=1)
        self.norm = nn.BatchNorm2d(16)
        self.last = nn.Dropout(0.5)
        self.head = nn.Linear(16, 2)

    def forward(self, x):
        x = self.stem(x)
        x = self.norm(x + self.side(self.drop(x)))
        return self.head(self.last(x.mean((2, 3))))


def test_only_a_dropout_that_reaches_a_norm_is_named():
    model = Branches()
    before = model.norm.running_mean.clone()
    assert find_shifted_norms(model, X) == {"drop": ("norm",)}
    assert model.training
    assert torch.equal(model.norm.running_mean, before)


def test_a_dropout_that_drops_nothing_is_harmless():
    assert find_shifted_norms(Branches(nn.Dropout(0.0)), X) == {}
    assert find_shifted_norms(Branches(UOut()), X) == {}


@pytest.mark.parametrize("name", ["mobilenet_v2", "mobilenet_v3_small", "efficientnet_lite0", "resnet20"])
def test_the_zoo_drops_behind_its_last_norm(name):
    assert name in MODELS
    model = build_model(ModelSpec(name, num_classes=2, width=0.1, image_size=8, in_channels=1, dropout=0.5))
    assert find_shifted_norms(model, X) == {}


NET = """
from torch import nn

def make(num_classes):
    features = [nn.Conv2d(1, 8, 3), nn.Dropout(0.5), nn.Conv2d(8, 8, 1), nn.BatchNorm2d(8), nn.ReLU()]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(8, num_classes)]
    return nn.Sequential(*features, *head)
"""


def test_train_names_the_norm_behind_dropout_in_a_users_network(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(NET)
    few = ["--image-size", "8", "--limit", "64", "--epochs", "1", "--device", "cpu"]
    train = ["train", "net.py:make", "--data", "digits", *few]
    shown = CliRunner().invoke(cli, [*train, "-o", "a"], catch_exceptions=False)
    assert shown.exit_code == 0
    assert "Warning: dropout '1' stands in front of batch norm '3'" in shown.stderr
    assert "'7'" not in shown.stderr
    mended = CliRunner().invoke(cli, [*train, "--use", "uout", "-o", "b"], catch_exceptions=False)
    assert mended.exit_code == 0
    assert "batch norm" not in mended.stderr


def test_uout_keeps_the_mean_and_nearly_the_variance():
    torch.manual_seed(0)
    x, noise = torch.randn(200_000), UOut(0.5)
    y = noise(x)
    assert abs(y.mean() - x.mean()) < 0.01
    assert (x.var() / y.var()).item() == pytest.approx(3 / (3 + 0.5**2), abs=0.01)
    assert (y / x - 1).abs().max() <= 0.5 + 1e-5
    assert noise.eval()(x) is x


def ratios(noise, data, folder):
    torch.manual_seed(0)
    trainer = Trainer(Branches(noise), Recipe(epochs=10, batch_size=16, device="cpu", augment=False, lr=0.02))
    trainer.fit(data, folder, identity={}, progress=False)
    return variance_ratios(trainer.model, data.train)["norm"]


def test_the_variance_behind_dropout_shifts_and_behind_uout_does_not(tmp_path, toy_data):
    for name in ("dropout", "uout"):
        (tmp_path / name).mkdir()
    assert ratios(nn.Dropout(0.5), toy_data, tmp_path / "dropout") <= 0.9
    assert 0.95 <= ratios(UOut(), toy_data, tmp_path / "uout") <= 1.05


def test_uout_stands_in_while_training_and_the_network_is_kept_as_it_was(tmp_path, toy_data):
    recipe = Recipe(epochs=1, batch_size=16, device="cpu", use={"uout": {"beta": 0.2}})
    trainer = Trainer(Branches(), recipe, techniques=make_techniques(recipe, toy_data))
    assert isinstance(trainer.model.drop, UOut)
    assert trainer.model.last.beta == 0.2
    trainer.fit(toy_data, tmp_path, identity={}, progress=False)
    assert isinstance(trainer.trained().drop, nn.Dropout)


def test_uout_in_a_network_without_dropout_is_refused(toy_data):
    recipe = Recipe(device="cpu", use={"uout": {}})
    with pytest.raises(TrainingError, match="the network has no dropout"):
        Trainer(
            nn.Sequential(nn.Flatten(), nn.Linear(64, 2)),
            recipe,
            techniques=make_techniques(recipe, toy_data),
        )
