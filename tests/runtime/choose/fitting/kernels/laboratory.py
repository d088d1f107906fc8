"""A machine whose kernels take what a law says: graphs drawn, timed and learnt without any engine."""

import contextlib
import random
from dataclasses import dataclass, field

import msgspec
import numpy as np

from runtime.bundle import Graph, Manifest, Variant, new_bundle
from runtime.bundle.workload import Op, Workload
from runtime.choose.fitting.kernels.learn import Source
from runtime.choose.fitting.kernels.timing import TimedGraph
from runtime.device.setting import Setting
from runtime.device.soc import load_profile
from runtime.engines import OpEvent, ProfiledFrames, Samples
from runtime.errors import DeviceStableError
from runtime.measure.origin import Origin

SETTING = Setting("big", None)
NAMES = {"conv2d": "Convolution (NHWC, F32) GEMM", "depthwise_conv2d": "Convolution (NHWC, F32) DWConv",
         "linear": "Fully Connected (NC, F32) GEMM", "elementwise": "HardSwish (NC)"}  # fmt: skip


def draw_workload(rng, ops=30):
    """Return a workload of convolutions, depthwise ones, activations and a linear layer."""
    found = []
    for _ in range(ops):
        side, channels, out = rng.choice((4, 7, 14, 28, 56)), rng.randrange(8, 300), rng.randrange(8, 300)
        map_bytes, positions = 4 * side**2 * channels, side**2
        kind = rng.choice(("conv2d", "depthwise_conv2d", "elementwise"))
        if kind == "conv2d":
            op = Op("conv", kind, positions * channels * out, map_bytes + 4 * channels * out,
                    4 * positions * out, out, channels, 1, type="convolution")  # fmt: skip
        elif kind == "depthwise_conv2d":
            op = Op("deep", kind, 9 * positions * channels, map_bytes + 36 * channels, map_bytes,
                    channels, 1, 9, type="convolution")  # fmt: skip
        else:
            op = Op("act", kind, positions * channels, map_bytes, map_bytes, type="hardswish")
        found.append(op)
    out = rng.randrange(10, 1000)
    found.append(Op("fc", "linear", 64 * out, 256 + 256 * out, 4 * out, out, 64, 1, type="linear"))
    return Workload(tuple(found))


def law_ms(op):
    """Return what an op takes: arithmetic, traffic and a constant."""
    rate = {"conv2d": 20e6, "depthwise_conv2d": 8e6, "linear": 5e6}.get(op.kind, 2e6)
    return op.macs / rate + (op.bytes_read + op.bytes_written) / 1e7 + 0.002


def time_of(workload, rng):
    """Return a graph timed with 3 % of noise: 5 % and 0.1 ms more than its ops."""
    ops_ms = np.array([law_ms(op) * rng.uniform(0.97, 1.03) for op in workload.ops])
    return TimedGraph(workload, 1.05 * float(ops_ms.sum()) + 0.1, ops_ms)


def source():
    """Return whose kernels these are."""
    machine = Origin(("bench", "toy", "arm"), "engine 1", "Linux 6", None)
    return Source("ssh:toy", "executorch", "fp32", SETTING, "measured", machine, 3, 60.0)


def make_bundle(path, count=4, engine="executorch"):
    """Write a bundle of ``count`` graphs of kernels whose model files are not read."""
    rng = random.Random(0)
    with new_bundle(path) as writer:
        variants = []
        for number in range(count):
            name = f"{engine}-{number:03d}"
            writer.add(f"{name}.pte", name.encode(), "model")
            table = msgspec.json.encode(draw_workload(rng, ops=8))
            writer.add(f"workloads/{name}.json", table, "workload")
            variants.append(Variant(name, engine, "fp32", f"{name}.pte", name, f"workloads/{name}.json"))
        graphs = {variant.name: Graph((), ()) for variant in variants}
        writer.finish(Manifest("kernels", "2026-01-01", graphs, tuple(variants)))
    return path


@dataclass
class Laboratory:
    """A target on which kernels take what the law says; ``broken`` graphs do not load.

    ``sessions`` counts those that were opened; ``engine`` is the version that the machine has.
    """

    broken: tuple[str, ...] = ()
    engine: str = "engine 1"
    sessions: list[str] = field(default_factory=list)
    name = "ssh:toy"
    provenance = "measured"
    is_modelled = False
    profile = load_profile("sm8250")

    @contextlib.contextmanager
    def session(self, bundle, variant, setting):
        if variant.name in self.broken:
            raise DeviceStableError(f"{variant.name} cannot be loaded; export it again")
        self.sessions.append(variant.name)
        yield _Session(bundle.workload(variant), setting, self.engine)


class _Session:
    def __init__(self, workload, setting, engine):
        self.setting, self._ops = setting, workload.ops
        self.device, self.versions = {"name": "bench", "soc": "toy", "arch": "arm"}, {"engine": engine}

    def sample(self, *, warmup, runs, fps=None):
        return Samples(None, (1.05 * sum(map(law_ms, self._ops)) + 0.1,) * runs, 1)

    def profile(self, *, warmup, runs):
        events = tuple(
            OpEvent(NAMES[op.kind], 0, 0, round(1e6 * law_ms(op)), "XNNPACK profiler") for op in self._ops
        )
        total_ms = sum(map(law_ms, self._ops))
        return ProfiledFrames((total_ms,) * runs, (events,) * runs, ())
