"""A small phone and a small bundle, for tests of fitting, tuning and serving."""

import contextlib
from dataclasses import replace
from datetime import datetime, timezone
from types import MappingProxyType

import msgspec
import numpy as np

from runtime.bundle import Bundle, Graph, ImageSpec, Manifest, TensorSpec, Variant, new_bundle
from runtime.bundle.workload import Op, Workload
from runtime.device.setting import Setting
from runtime.device.soc import Cluster, Opp, PowerFigure, SocProfile, modelled_latency_ms
from runtime.engines import Array, Frame, Samples
from runtime.engines.pacing import ModelledTime, WallTime, run_paced
from runtime.measure.records import Record

WORKLOAD = Workload(
    (
        Op("stem", "conv2d", 10_000_000, 600_000, 400_000),
        Op("depthwise", "depthwise_conv2d", 5_000_000, 800_000, 400_000),
        Op("head", "linear", 2_000_000, 4_000_000, 4_000),
    )
)
LITTLE = Cluster(
    "little",
    "cortex-a55",
    (0, 1),
    tuple(Opp(khz, power_mw=khz / 2e4) for khz in range(400_000, 1_700_000, 100_000)),
    capacity_dmips_mhz=600,
    power_source="table of the test",
)
BIG = Cluster(
    "big",
    "cortex-a75",
    (2, 3),
    tuple(Opp(khz, power_mw=(khz / 1e5) ** 2) for khz in range(600_000, 2_500_000, 100_000)),
    capacity_dmips_mhz=1024,
    power_source="table of the test",
)
PROFILE = SocProfile("toy", "Toy", "none", (LITTLE, BIG))
LABELS = ("cat", "dog", "owl")


class Session:
    """Answers with the modelled latency; its outputs name the brightest channel of the input."""

    control_level = "sysfs"
    device = MappingProxyType({"name": "toy"})

    def __init__(self, setting, latency_ms, clock=None):
        self.setting = self.setting_read = setting
        self.clock = clock or ModelledTime()
        self.latency_ms = latency_ms
        self.seen = []

    def run(self, inputs):
        self.seen.append("shown")
        return Frame(self.latency_ms, (Array.of(inputs[0].mean(axis=(2, 3))),))

    def sample(self, *, warmup, runs, fps=None):
        self.seen.append("timed" if warmup == 0 else "warmed up")
        return Samples(None, (self.latency_ms,) * runs, None)

    def run_paced(self, inputs, frames, fps):
        return run_paced(self, inputs, frames, fps, self.clock)


class Phone:
    """A target as the contract has it, virtual unless said otherwise."""

    def __init__(self, name="virtual:toy", provenance="modelled", profile=PROFILE, knows_power=True):
        self.name, self.provenance, self.profile = name, provenance, profile
        self.is_modelled = provenance == "modelled"
        self.knows_power = knows_power
        self.energy_note = "no meter on this machine"
        self.sessions = []
        self.restored = 0

    def settings(self, threads=(1,), clusters=()):
        return tuple(
            Setting(cluster.name, opp.freq_khz, n)
            for cluster in self.profile.clusters
            if not clusters or cluster.name in clusters
            for n in threads
            for opp in cluster.opps
        )

    def power(self, setting):
        if not self.knows_power:
            return None
        power_mw = self.profile.cluster(setting.cluster).opp(setting.freq_khz).power_mw
        return None if power_mw is None else PowerFigure(power_mw * setting.threads, "table of the test")

    @contextlib.contextmanager
    def session(self, bundle, variant, setting):
        latency_ms = modelled_latency_ms(bundle.workload(variant), self.profile, setting, variant.precision)
        clock = ModelledTime() if self.is_modelled else WallTime()
        self.sessions.append(Session(setting, latency_ms, clock))
        try:
            yield self.sessions[-1]
        finally:
            self.restored += 1


def make_bundle(tmp_path, workload=WORKLOAD, variants=("litert-fp32",), image=True, labels=LABELS):
    """Write and return a bundle whose model files are a few bytes: nothing here runs them."""
    spec = ImageSpec(8, 8, (0.0,) * 3, (1.0,) * 3) if image else None
    graph = Graph((TensorSpec("x", "float32", (1, 3, 8, 8), spec),), (TensorSpec("y", "float32", (1, 3)),))
    path = tmp_path / "toy.edgekit"
    with new_bundle(path) as writer:
        listed = []
        for variant in variants:
            engine, precision = variant.split("-", 1)
            file = writer.add(f"{variant}.bin", variant.encode(), "model")
            table = msgspec.json.encode(workload)
            cost = workload and writer.add(f"{variant}.workload.json", table, "workload")
            listed.append(Variant(variant, engine, precision, file, workload=cost))
        names = labels and writer.add("labels.txt", ("\n".join(labels) + "\n").encode(), "labels")
        created_utc = "2026-01-01T00:00:00Z"
        writer.finish(Manifest("toy", created_utc, {"forward": graph}, tuple(listed), labels=names))
    return Bundle.open(path)


def make_records(bundle, target, settings=None, variants=None, verdict="stable", spread=0.01, seed=0):
    """Return one record per variant and setting, at the modelled latency with some noise."""
    rng = np.random.default_rng(seed)
    hashes = {entry.path: entry.sha256 for entry in bundle.manifest.files}
    records = []
    for variant in bundle.manifest.variants if variants is None else map(bundle.manifest.variant, variants):
        for setting in target.settings() if settings is None else settings:
            latency_ms = modelled_latency_ms(WORKLOAD, target.profile, setting, variant.precision)
            records.append(
                Record(
                    model=bundle.manifest.name,
                    model_sha256=hashes[variant.path],
                    variant=variant.name,
                    engine=variant.engine,
                    precision=variant.precision,
                    target=target.name,
                    provenance=target.provenance,
                    setting=setting,
                    setting_read=setting,
                    control_level="sysfs",
                    samples_ms=tuple((latency_ms * np.exp(spread * rng.standard_normal(5))).tolist()),
                    first_frame_ms=None,
                    warmup=1,
                    power_mw=None,
                    energy_mj=None,
                    energy_source="none",
                    temp_c=None,
                    verdict=verdict,
                    reasons=(),
                    block=0,
                    seed=seed,
                    created_utc=datetime(2026, 1, 1, tzinfo=timezone.utc).isoformat(),
                )
            )
    return records


def without_clocks(profile=PROFILE):
    """Return the profile of a machine that shows no clocks."""
    return replace(profile, clusters=tuple(replace(c, opps=()) for c in profile.clusters))
