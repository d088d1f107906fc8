"""What a parser's exported files do: delegates, latency beside its backbone's, int8, the steps around."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from PIL import Image

from edgekit.data.faces import FaceDataset
from edgekit.export import Origin, export_bundle
from edgekit.export.preprocess import N_INPUTS
from edgekit.export.quantize import QuantizeOptions
from edgekit.export.quantize.calibration import N_CALIBRATION, Calibration
from edgekit.export.quantize.data import evenly
from edgekit.models import build_model
from edgekit.tasks import Examples
from edgekit.tasks.face_parsing import FaceParsing, ParsingNet, class_ious
from edgekit.training import Checkpoint
from runtime.bundle import ENGINES, Bundle, Variant
from runtime.flow.sessions import open_graphs
from runtime.flow.work import FlowWork
from runtime.govern.run.run import kernel_setting
from runtime.measure.interval import paired_ratio
from runtime.targets import open_target
from tests.benchmarks._side_by_side import rounds_ms

_FLOAT, _INT8 = "fp32", "static_wi8_ai8"
_ROUNDS = 10


def files_of(
    task: FaceParsing, checkpoint: Checkpoint, dataset: FaceDataset, place: Path
) -> dict[str, dict[str, Any]]:
    """Return of each engine what the files of ``checkpoint`` come to; the bundles stay in ``place``.

    The classifier beside it is the network's own backbone, with its weights, as it names classes.
    """
    net, image, test = checkpoint.build(), dataset.image, dataset.test
    inputs, _ = test.batch(evenly(len(test), N_INPUTS))
    learnt, _ = dataset.train.batch(evenly(len(dataset.train), N_CALIBRATION))
    frames = tuple((one[None],) for one in learnt)
    bundle = export_bundle(
        Origin("faces", task.graphs(net, Examples(inputs, "test portraits", image)), (), {}, task),
        place / "faces.edgekit",
        precisions=(_FLOAT, _INT8),
        quantize=QuantizeOptions(Calibration(frames, "portraits to train on")),
        overwrite=True,
    )
    classifier = export_bundle(
        Origin.of_images("backbone", _classifier(net), image, (), inputs, "test portraits", {}),
        place / "backbone.edgekit",
        overwrite=True,
    )
    return {engine: _engine(dataset, bundle, classifier, engine) for engine in ENGINES}


def _classifier(net: ParsingNet) -> Any:
    classifier = build_model(net.backbone.spec)
    classifier.load_state_dict(net.backbone.net.state_dict(), strict=False)  # but its classifier
    return classifier.eval()


def _engine(dataset: FaceDataset, bundle: Bundle, classifier: Bundle, engine: str) -> dict[str, Any]:
    exact, rounded = (bundle.manifest.variant(f"{engine}-{precision}") for precision in (_FLOAT, _INT8))
    alone = classifier.manifest.variant(f"{engine}-{_FLOAT}")
    found = rounds_ms(
        engine, {"alone": classifier.file(alone.path), "parser": bundle.file(exact.path)}, _ROUNDS
    )
    ratio, interval = paired_ratio(found["alone"], found["parser"])
    scores = {one.precision: _score(dataset, bundle, one) for one in (exact, rounded)}
    return {
        "one_delegate": all(one.delegation.is_in_one for one in (exact, rounded)),
        "latency_ratio": ratio,
        "interval": [interval.low, interval.high],
        "mac_ratio": bundle.workload(exact).macs / classifier.workload(alone).macs,
        "graph_ms": min(found["parser"]),
        "file_miou": scores[_FLOAT]["miou"],
        "int8_loss": scores[_FLOAT]["miou"] - scores[_INT8]["miou"],
        "pre_post_share": scores[_FLOAT]["pre_post_share"],
    }


def _score(dataset: FaceDataset, bundle: Bundle, variant: Variant) -> dict[str, float]:
    """Return the score of whole frames, as a device makes them of a picture and a box, and their parts."""
    target = open_target("local")
    _, portraits = dataset.portraits
    with open_graphs(bundle, target, kernel_setting(target), {variant.graph: variant}) as sessions:
        work = FlowWork(bundle, bundle.manifest.task, sessions)
        frames = [work.frame(Image.fromarray(one.picture), one.box) for one in portraits]
    found = [frame.decoded.labels for frame in frames]
    times = [frame.times for frame in frames]
    shares = [1 - sum(map(sum, one.graphs_ms.values())) / one.latency_ms(target) for one in times]
    return {
        "miou": float(class_ious(found, [one.labels for one in portraits]).mean()),
        "pre_post_share": statistics.median(shares),
    }
