"""Bundles of two tasks with tiny networks: a parser of one graph, a melody of three step graphs."""

from dataclasses import replace

import numpy as np
import torch
from torch import nn

from edgekit.export.graph import Origin, SourceGraph
from edgekit.export.pipeline import export_bundle
from runtime.bundle import ImageSpec, TensorSpec, new_bundle
from runtime.bundle.flow import Flow, FlowGraph, State, Stop, Token
from runtime.bundle.prestep import TanhWarp
from runtime.bundle.result import Mask, Notes
from runtime.bundle.task import TaskSpec

SIZE, MAP = 32, 16
IMAGE = ImageSpec(size=SIZE, resize=SIZE, mean=(0.0,) * 3, std=(1.0,) * 3)
CLASSES = ("rest", "red", "green")
PARSING = TaskSpec(
    "face-parsing",
    Flow((FlowGraph("forward", inputs={"image": "pre:image"}),), pre=TanhWarp()),
    Mask("forward.scores", CLASSES, palette=((0, 0, 0), (255, 255, 0), (0, 0, 255))),
    metric="mIoU",
)
BARS, BEATS, PITCHES, UNITS = 4, 3, 10, 6


class Parser(nn.Module):
    """Red where red outweighs the other colours, green likewise, at half the input's resolution."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 2, stride=2)
        weight = torch.tensor([[0.0, 0, 0], [1, -1, -1], [-1, 1, -1]]) / 4
        self.conv.weight.data = weight[:, :, None, None].expand(3, 3, 2, 2).contiguous()
        self.conv.bias.data = torch.tensor([0.2, 0, 0])

    def forward(self, image):
        return self.conv(image)


class Step(nn.Module):
    """One step of an LSTM: a Linear per gate, for chunks leave the delegate."""

    def __init__(self, n_inputs, n_outputs):
        super().__init__()
        self.gates = nn.ModuleList(nn.Linear(n_inputs + UNITS, UNITS) for _ in range(4))
        self.out = nn.Linear(UNITS, n_outputs)

    def forward(self, *given):
        *rows, h, c = given
        both = torch.cat([*rows, h], dim=1)
        keep, enter, new, show = (gate(both) for gate in self.gates)
        c = torch.sigmoid(keep) * c + torch.sigmoid(enter) * torch.tanh(new)
        h = torch.sigmoid(show) * torch.tanh(c)
        return 4 * self.out(h), h, c


STEPS = {
    "bar": ({"last": BARS}, BARS, {"last": "token:bar"}, 16),
    "beat": ({"bar": BARS, "last": BEATS}, BEATS, {"bar": "token:bar", "last": "token:beat"}, 4),
    "note": (
        {"bar": BARS, "beat": BEATS, "place": 16, "last": PITCHES + 2},
        PITCHES + 2,
        {"bar": "token:bar", "beat": "token:beat", "place": "position:16", "last": "token:note@2"},
        1,
    ),
}


def melody_task():
    uses, states = [], []
    for name, (_, _, sources, every) in STEPS.items():
        kept = {f"next_{state}": f"{name}_{state}" for state in "hc"}
        inputs = {**sources, "h": f"state:{name}_h", "c": f"state:{name}_c"}
        token = Token(name, "scores", temperature=0.9, top_k=8 if name == "note" else 0)
        uses.append(FlowGraph(name, "step", inputs, kept, token, every))
        states += [State(f"{name}_{state}", (1, UNITS)) for state in "hc"]
    stop = Stop(64 * 16, count="bars", steps_per_count=16, default_count=2)
    return TaskSpec(
        "melody",
        Flow(tuple(uses), states=tuple(states), stop=stop),
        Notes("note", lowest=60, pitches=PITCHES),
    )


def melody_nets():
    torch.manual_seed(0)
    return {
        name: Step(sum(rows.values()), n_outputs).eval() for name, (rows, n_outputs, _, _) in STEPS.items()
    }


def make_parser(folder, engines=("executorch", "litert")):
    """Return the path of the parser's bundle."""
    pixels = np.random.default_rng(0).random((1, 3, SIZE, SIZE), dtype=np.float32)
    spec = TensorSpec("image", "float32", pixels.shape, IMAGE)
    graph = SourceGraph(Parser().eval(), (spec,), ((pixels,),), "noise", ("scores",))
    plain = export_bundle(
        Origin("parser", {"forward": graph}, (), {}), folder / "plain.edgekit", engines=engines
    )
    return with_task(plain, PARSING, folder / "parser.edgekit")


def make_melody(folder, engines=("executorch", "litert")):
    """Return the path of the melody's bundle."""
    rng = np.random.default_rng(0)
    graphs = {}
    for name, net in melody_nets().items():
        sizes = {**STEPS[name][0], "h": UNITS, "c": UNITS}
        specs = tuple(TensorSpec(one, "float32", (1, n)) for one, n in sizes.items())
        frame = tuple(rng.normal(size=spec.shape).astype(np.float32) for spec in specs)
        graphs[name] = SourceGraph(net, specs, (frame,), "noise", ("scores", "next_h", "next_c"))
    plain = export_bundle(Origin("tunes", graphs, (), {}), folder / "steps.edgekit", engines=engines)
    return with_task(plain, melody_task(), folder / "tunes.edgekit")


def with_task(bundle, task, path):
    """Write the same bundle with a task."""
    with new_bundle(path) as writer:
        for entry in bundle.manifest.files:
            writer.add(entry.path, bundle.file(entry.path).read_bytes(), entry.kind)
        variants = tuple(replace(variant, export="one") for variant in bundle.manifest.variants)
        writer.finish(replace(bundle.manifest, task=task, variants=variants))
    return path
