"""Nets of other people's packages, brought as a user would: ``edgekit export third_party.py:silero``."""

import importlib.util
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F


def efficientnet_lite():
    from efficientnet_lite_pytorch import EfficientNet

    return EfficientNet.from_name("efficientnet-lite0"), torch.rand(1, 3, 224, 224)


def shufflenet():
    from pytorchcv.models.shufflenetv2b import shufflenetv2b_w1

    return shufflenetv2b_w1(), torch.rand(1, 3, 224, 224)


def silero_torchscript():
    return torch.jit.load(_silero_data() / "silero_vad.jit"), (torch.zeros(1, 512), torch.tensor([16000]))


def silero():
    from safetensors.torch import load_file

    net = Silero()
    net.load_state_dict(load_file(_silero_data() / "silero_vad_16k.safetensors"))
    return net, (torch.randn(1, 576) * 0.1, torch.zeros(2, 1, 128))


class Silero(nn.Module):
    """silero-vad's 16 kHz net in torch, as its package gives it for tinygrad; the state goes in and out."""

    def __init__(self):
        super().__init__()
        self.stft_conv = nn.Conv1d(1, 258, 256, 128, bias=False)
        self.conv1, self.conv2 = nn.Conv1d(129, 128, 3, 1, 1), nn.Conv1d(128, 64, 3, 2, 1)
        self.conv3, self.conv4 = nn.Conv1d(64, 64, 3, 2, 1), nn.Conv1d(64, 128, 3, 1, 1)
        self.lstm_cell = nn.LSTMCell(128, 128)
        self.final_conv = nn.Conv1d(128, 1, 1)

    def forward(self, sound, state):
        x = self.stft_conv(F.pad(sound, (0, 64), "reflect").unsqueeze(1))
        x = (x[:, :129] ** 2 + x[:, 129:] ** 2).sqrt()
        for conv in (self.conv1, self.conv2, self.conv3, self.conv4):
            x = conv(x).relu()
        hidden, cell = self.lstm_cell(x.squeeze(-1), (state[0], state[1]))
        speech = self.final_conv(hidden.unsqueeze(-1).relu()).sigmoid().squeeze(1)
        return speech, torch.stack([hidden, cell])


def _silero_data():
    return Path(importlib.util.find_spec("silero_vad").origin).parent / "data"
