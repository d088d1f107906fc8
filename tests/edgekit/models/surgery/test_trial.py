import torch
from torch import nn

from edgekit.models.surgery.groups import ChannelGraph
from edgekit.models.surgery.trial import try_removal
from edgekit.nn import DynamicReLU

INPUTS = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def conv(inputs, outputs):
    return nn.Conv2d(inputs, outputs, 3, padding=1)


class Mixed(nn.Module):
    """One convolution that can be pruned, and one each of those that cannot."""

    def __init__(self):
        super().__init__()
        self.stem = conv(3, 8)
        self.free = nn.Sequential(conv(8, 8), nn.BatchNorm2d(8), nn.ReLU())
        self.gated = nn.Sequential(conv(8, 8), nn.BatchNorm2d(8), nn.Sigmoid())
        self.before_shared = conv(8, 8)
        self.shared = conv(8, 8)
        self.before_dynamic = nn.Sequential(conv(8, 8), DynamicReLU(8, "a"))
        self.out = conv(8, 2)

    def forward(self, x):
        x = self.gated(self.free(torch.relu(self.stem(x))))
        x = self.shared(torch.relu(self.shared(torch.relu(self.before_shared(x)))))
        return self.out(self.before_dynamic(x))


def test_what_cannot_be_removed_is_left_out_and_named():
    torch.manual_seed(0)
    model = Mixed().eval()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    groups = ChannelGraph(model, INPUTS).groups()
    left, left_out = try_removal(model, groups, INPUTS)
    assert [group.name for group in left] == ["free.0"]
    assert "does not map 0 to 0" in left_out["gated.0"]
    assert "DynamicReLU 'a'" in left_out["before_dynamic.0"]
    assert "removes its outputs" in left_out["out"]
    assert left_out.keys() - {"gated.0", "before_dynamic.0", "out"} <= {"before_shared", "shared"}
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_a_network_without_obstacles_keeps_all_groups():
    model = nn.Sequential(conv(3, 8), nn.ReLU(), conv(8, 8), nn.Flatten(), nn.Linear(512, 2)).eval()
    groups = ChannelGraph(model, INPUTS).groups("all")
    assert try_removal(model, groups, INPUTS) == (groups, {})
