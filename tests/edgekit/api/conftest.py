"""For all tests of the API: one bundle of a tiny net that sees a cat everywhere, and a machine to govern."""

import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import edgekit
from runtime.device.actuators import allowed_cpus
from runtime.device.soc import Cluster, Opp, SocProfile
from runtime.device.soc.tree import SocTree
from runtime.targets import LocalTarget

CLOCKS = (600_000, 1_200_000, 2_400_000)


class Cats(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.act = nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU()
        self.pool, self.head = nn.AdaptiveAvgPool2d(1), nn.Linear(8, 3)
        with torch.no_grad():
            self.head.bias.copy_(torch.tensor([4.0, 2.0, 0.0]))

    def forward(self, image):
        return self.head(self.pool(self.act(self.conv(image))).flatten(1))


@pytest.fixture(scope="session")
def cats():
    return Cats()


@pytest.fixture(scope="session")
def exported(cats, tmp_path_factory):
    preprocess = edgekit.Preprocess(
        mean=(0.5,) * 3, std=(0.25,) * 3, size=16, layout="nhwc", labels=["cat", "dog", "cow"]
    )
    out = tmp_path_factory.mktemp("api") / "seg.edgekit"
    return edgekit.export(cats, torch.zeros(1, 3, 16, 16), out, engines=["litert"], preprocess=preprocess)


@pytest.fixture
def bundle(exported, tmp_path, monkeypatch):
    """The bundle, a copy of its own for each test, in the working directory with a picture beside."""
    shutil.copytree(exported.path, tmp_path / "seg.edgekit")
    pixels = np.random.default_rng(0).integers(0, 255, (20, 30, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "cat.png")
    monkeypatch.chdir(tmp_path)
    return edgekit.load("seg.edgekit")


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """This one's CPUs in one cluster; no kernel moves its clocks."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    cluster = Cluster("cpu", "toy", allowed_cpus(), tuple(map(Opp, CLOCKS)), capacity_dmips_mhz=1024)
    tree = SocTree(SocProfile("toy", "Toy", "none", (cluster,)), tmp_path / "root")
    for policy in tree.policies:
        (policy / "scaling_cur_freq").unlink()  # of a driver that does not tell
    return LocalTarget(tmp_path / "root")
