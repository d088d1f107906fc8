"""A network with a head of two outputs that shares one layer over all maps of its backbone."""

import torch
from torch import nn
from torch.nn import functional as F

from edgekit.models import Backbone, ModelSpec


class Headed(nn.Module):
    def __init__(self, spec: ModelSpec, wide: int = 16):
        super().__init__()
        self.backbone = Backbone(spec)
        self.laterals = nn.ModuleList(nn.Conv2d(c, wide, 1) for c in self.backbone.channels.values())
        self.shared = nn.Sequential(nn.Conv2d(wide, wide, 3, padding=1), nn.BatchNorm2d(wide), nn.ReLU())
        self.mask, self.edge = nn.Conv2d(wide, 5, 1), nn.Conv2d(wide, 2, 1)

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        top = None
        for lateral, tap in reversed(list(zip(self.laterals, self.backbone(x).values(), strict=True))):
            own = lateral(tap)
            joined = own if top is None else own + F.interpolate(top, size=own.shape[2:], mode="bilinear")
            top = self.shared(joined)
        return {"mask": self.mask(top), "edge": self.edge(top)}
