"""A small bundle that was benched, fitted and tuned on a modelled phone, without any engine."""

from dataclasses import dataclass, replace
from datetime import datetime, timezone

import msgspec

from runtime.bundle import (
    Bundle,
    Delegation,
    FallbackOp,
    Graph,
    Manifest,
    Parity,
    TensorSpec,
    Variant,
    new_bundle,
)
from runtime.bundle.workload import Op, Workload
from runtime.choose.fitting import FitResult
from runtime.choose.fitting.features import FEATURE_NAMES
from runtime.choose.tuning.tune import tune_bundle
from runtime.device.setting import Setting
from runtime.device.soc import SocProfile, load_profile, modelled_latency_ms, power_mw
from runtime.govern.run.run import RunResult
from runtime.measure.records import Record, RecordLog

TARGET = "virtual:gs101"
FILES = {"litert-fp32": b"LITERT" * 40_000, "executorch-fp32": b"EXECUTORCH" * 27_000}


def workload(slower: int = 1) -> Workload:
    """Return a network of 10 blocks like MobileNetV2's; ``slower`` repeats its element-wise passes."""
    ops = [Op("stem.conv", "conv2d", 10_800_000, 600_000, 1_600_000)]
    for i in range(10):
        ops.append(Op(f"blocks.{i}.expand", "conv2d", 9_000_000, 700_000, 1_200_000))
        ops.append(Op(f"blocks.{i}.depthwise", "depthwise_conv2d", 1_400_000, 1_200_000, 1_100_000))
        ops += [Op(f"blocks.{i}.act", "elementwise", 300_000, 1_200_000, 1_200_000)] * slower
        ops.append(Op(f"blocks.{i}.project", "conv2d", 6_000_000, 1_200_000, 400_000))
    ops.append(Op("pool", "pool", 60_000, 250_000, 5_000))
    ops.append(Op("classifier", "linear", 1_280_000, 5_100_000, 4_000))
    ops.append(Op("softmax", "softmax", 1000, 4000, 4000))
    return Workload(tuple(ops))


@dataclass(frozen=True)
class ModelledPhone:
    """What tuning asks of a target."""

    name: str
    profile: SocProfile
    provenance: str = "modelled"
    is_modelled: bool = True
    energy_note: str = ""
    is_modelled: bool = True

    def settings(self, threads=(1,), clusters=()):
        clocks = [(cluster.name, opp.freq_khz) for cluster in self.profile.clusters for opp in cluster.opps]
        return tuple(Setting(*clock, count) for count in threads for clock in clocks)

    def power(self, setting):
        return power_mw(self.profile.cluster(setting.cluster), setting.freq_khz, setting.threads)


def variants(delegations=None):
    clean = Delegation(84, 84, 1)
    delegations = delegations or {}
    return tuple(
        Variant(
            name,
            name.partition("-")[0],
            "fp32",
            f"{name}.bin",
            workload=f"workload-{name}.json",
            delegation=delegations.get(name, clean),
            parity=Parity(3.1e-6, 118.2, 1e-4, 32, "images of the test set", 1.0),
        )
        for name in FILES
    )


FALLBACK = Delegation(
    82, 84, 3, (FallbackOp("aten.topk.default", "head.topk", "XNNPACK has no topk", True, 0.314),)
)
SOURCE = {
    "model": "mobilenet_v2",
    "checkpoint": {"sha256": "5f" * 32, "dataset": "digits", "metrics": {"test_top1": 0.9806}},
    "recipe": {"epochs": 30, "batch_size": 64, "lr": 0.002, "label_smoothing": 0.1},
    "pruning": {
        "method": "psfp",
        "rate": 0.3,
        "before": {"macs": 312_000_000, "params": 3_504_872, "latency_ms": 21.4, "test_top1": 0.9833},
        "after": {"macs": 201_000_000, "params": 2_211_340, "latency_ms": 14.9, "test_top1": 0.9806},
    },
}


def write_bundle(path, name="mobilenet_v2-digits", labels=("zero", "one"), source=SOURCE, delegations=None):
    """Write the bundle, untuned, and return it opened."""
    graph = Graph((TensorSpec("x", "float32", (1, 3, 224, 224)),), (TensorSpec("y", "float32", (1, 10)),))
    with new_bundle(path, overwrite=True) as writer:
        for variant, data in FILES.items():
            writer.add(f"{variant}.bin", data, "model")
            table = workload(3 if variant.startswith("executorch") else 1)
            writer.add(f"workload-{variant}.json", msgspec.json.encode(table), "workload")
        writer.add("labels.txt", "\n".join(labels).encode(), "labels")
        writer.finish(
            Manifest(
                name=name,
                created_utc="2026-01-02T03:04:05+00:00",
                graphs={"forward": graph},
                variants=variants(delegations),
                labels="labels.txt",
                source=source,
                toolchain={"edgekit": "0.1.0", "torch": "2.13.0", "litert-torch": "0.10.0"},
            )
        )
    return Bundle.open(path)


def bench(bundle, target=None):
    """Write one record per variant and setting, as `edgekit bench` does."""
    target = target or ModelledPhone(TARGET, load_profile("gs101"))
    log = RecordLog(bundle.path / "records" / f"{target.name.replace(':', '-')}.jsonl")
    records = []
    for variant in bundle.manifest.variants:
        for setting in target.settings():
            latency_ms = modelled_latency_ms(bundle.workload(variant), target.profile, setting)
            figure = target.power(setting)
            modelled = make_record(
                bundle, variant, setting, [latency_ms * 0.97, latency_ms, latency_ms * 1.04], target.name
            )
            energy_mj = figure.power_mw * latency_ms / 1000
            power = {"power_mw": figure.power_mw, "energy_mj": energy_mj, "energy_source": figure.source}
            records.append(replace(modelled, provenance="modelled", control_level="sysfs", warmup=0, **power))
    log.path.parent.mkdir(exist_ok=True)
    log.path.write_bytes(b"\n".join(msgspec.json.encode(record) for record in records) + b"\n")
    return records


KERNEL_CLOCK = Setting("cpu", None)


def measured(bundle, samples_ms, setting=KERNEL_CLOCK, variant=None):
    """Return a record of frames timed on this machine."""
    timed = make_record(bundle, bundle.manifest.variant(variant), setting, samples_ms, "local")
    return replace(timed, first_frame_ms=12.5, load_ms=31.0, run="a1")


def make_record(bundle, variant, setting, samples_ms, target):
    """Return a record of which only what varies between tests is given."""
    return Record(
        model=bundle.manifest.name,
        model_sha256=next(entry.sha256 for entry in bundle.manifest.files if entry.path == variant.path),
        variant=variant.name,
        engine=variant.engine,
        precision="fp32",
        target=target,
        provenance="measured",
        setting=setting,
        setting_read=setting,
        control_level="affinity",
        samples_ms=tuple(samples_ms),
        first_frame_ms=samples_ms[0],
        warmup=5,
        power_mw=None,
        energy_mj=None,
        energy_source="no power meter on this machine",
        temp_c=None,
        verdict="stable",
        reasons=(),
        block=0,
        seed=0,
        created_utc="2026-01-02T04:00:00+00:00",
    )


def tune(bundle, records, fps=30.0):
    """Choose a setting from the records, as `edgekit tune` does."""
    return tune_bundle(bundle, ModelledPhone(TARGET, load_profile("gs101")), fps, records=records)[0]


def run_result(policy):
    """Return what `edgekit run` tells of 60 frames under ``policy``."""
    return RunResult(
        bundle="digits",
        target=TARGET,
        provenance="modelled",
        variant=policy.variant,
        engine="litert",
        setting=policy.setting,
        setting_read=None,
        control_level="sysfs",
        fps_target=30.0,
        frames=60,
        late_frames=2,
        latency_ms=28.9,
        p90_ms=29.5,
        power_mw=180.0,
        energy_mj=5.2,
        energy_source="a table",
        predictions=(),
        reason="",
        comparison=(),
        notes=(),
        deadline_ms=1000 / 30,
    )


def add_fit(bundle):
    """Add the summary of a predictor, as `edgekit fit` does."""
    fit = FitResult(
        target=TARGET,
        scores={"linear": 6.2, "svr": 3.4, "random_forest": 9.8, "gradient_boosting": 8.1, "mlp": 4.9},
        chosen="svr",
        holdout_mape_pct=3.9,
        interval_pct=8.4,
        confidence=0.9,
        n_records=104,
        n_groups=52,
        grouped_by="cluster and clock",
        left_out={},
        provenance="modelled",
        variants=tuple(FILES),
        clocks_khz={"little": (300_000, 1_803_000)},
        threads=(1,),
        features=FEATURE_NAMES,
        seed=0,
        created_utc=datetime(2026, 1, 2, tzinfo=timezone.utc).isoformat(),
        interval="split",
        interval_reason="equally wide everywhere",
        models=("net",),
    )
    return bundle.add("predictors/virtual-gs101.json", msgspec.json.encode(fit), "predictor")
