"""Accuracy per millisecond of four ways to place dynamic blocks: ``python -m tests.benchmarks.placement``.

One network is trained four ways from scratch, with the same recipe, images and seeds: static, dynamic
everywhere, dynamic in the last layers (as many as ours), and dynamic where ``edgekit place`` puts the
blocks. Accuracy is of all test images; latency is of the exported files, run in turns. With
``--runs`` a benchmark that was interrupted goes on.
"""

from __future__ import annotations

import statistics
import tempfile
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click
import numpy as np

from edgekit.cli._output import note
from edgekit.data import Split, load_dataset
from edgekit.models import ModelSpec, build_model, count_parameters, find_sites, resolve, static_of
from edgekit.search.placement import paired_engine_latencies_ms, place_for_run
from edgekit.search.placement.cost_table import example_of
from edgekit.training import Recipe, evaluate, fit_spec, train
from edgekit.training.checkpoint import CHECKPOINT_FILE
from edgekit.training.state import STATE_FILE
from tests.benchmarks._table import show, write_report

RECIPE = Recipe(
    epochs=6,
    batch_size=64,
    optimizer="adamw",
    lr=3e-3,
    weight_decay=0.02,
    warmup_epochs=1,
    temperature_epochs=3,
    augment=False,
    device="cpu",
)

COLUMNS = {
    "way": "dynamic",
    "layers": "layers",
    "params": "parameters",
    "accuracy_pct": "accuracy, %",
    "accuracy_std_pct": "std",
    "latency_ms": "latency, ms",
    "added_ms": "added, ms",
    "gain_pct": "gain, points",
    "gain_std_pct": "its std",
    "gain_pct_per_added_ms": "gain/added ms",
    "accuracy_pct_per_ms": "accuracy/ms",
}


@click.command()
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Where to write the result.")
@click.option("--model", default="mobilenet_v2", show_default=True)
@click.option("--width", type=float, default=0.25, show_default=True)
@click.option("--data", default="fashion-mnist", show_default=True, help="fashion-mnist, cifar10 or digits.")
@click.option("--data-root", type=click.Path(path_type=Path), help="Where the dataset's files are.")
@click.option("--act", default="default", show_default=True, help="Dynamic ReLU to place: dyrelu-b, ...")
@click.option("--dynamic-conv", default="pointwise", show_default=True, help="none or pointwise.")
@click.option("--budget", default="10%", show_default=True)
@click.option("--engine", default="litert", show_default=True)
@click.option("--epochs", type=int, default=RECIPE.epochs, show_default=True)
@click.option("--images", type=int, default=6000, show_default=True, help="To train on.")
@click.option("--seeds", type=int, default=3, show_default=True)
@click.option("--runs", type=click.Path(path_type=Path), help="Folder that keeps what is finished.")
def main(json_path, model, width, data, data_root, act, dynamic_conv, runs, **options) -> None:
    """Train four ways and print accuracy, latency and what a millisecond buys."""
    dataset = load_dataset(data, root=data_root)
    spec = fit_spec(ModelSpec(model, width=width, act=act, dynamic_conv=dynamic_conv), dataset)
    with nullcontext(runs) if runs else tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        budget, engine = options["budget"], options["engine"]
        placed, placement = place_for_run(
            spec, budget, folder, resume=True, engine=engine, progress=note, on_message=note
        )
        ways = ways_of(placed)
        few = replace(
            dataset,
            train=sample(dataset.train, options["images"]),
            test=sample(dataset.test, 256),  # tested after every epoch; the score is of all images
        )
        scores: dict[str, list[float]] = {way: [] for way in ways}
        for seed in range(options["seeds"]):
            recipe = replace(RECIPE, epochs=options["epochs"], seed=seed)
            for way, chosen in ways.items():
                name = f"{way.split()[0]}-{seed}"
                checkpoint = train(
                    chosen, few, recipe, folder / name, resume=is_begun(folder / name), progress=False
                )
                scores[way].append(evaluate(checkpoint.build(), dataset.test))
                note(f"{way}, seed {seed}: {scores[way][-1]:.4f}")
    nets = [build_model(chosen) for chosen in ways.values()]
    latencies_ms = paired_engine_latencies_ms(nets, example_of(spec), engine, rounds=30)
    rows = compare(ways, scores, latencies_ms)
    for row, net in zip(rows, nets, strict=True):
        row["params"] = count_parameters(net)
    show(COLUMNS, rows)
    summary = summarise(rows)
    for key, value in summary.items():
        note(f"{key}: {value}")
    facts = {
        "placement": placement,
        "recipe": asdict(recipe),
        "spec": asdict(spec),
        "images": options["images"],
    }
    write_report(json_path, "placement", rows, summary | facts)


def ways_of(placed: ModelSpec) -> dict[str, ModelSpec]:
    """Return the four networks by what is dynamic in them; ``placed`` is ours."""
    count = len(layers_of(placed))
    if not count:
        raise click.UsageError("no dynamic block fits into the budget; raise it")
    return {
        "nowhere": static_of(placed),
        "everywhere": replace(placed, dynamic_at=None),
        f"last {count} layers": replace(placed, dynamic_at=(f"last:{count}",)),
        "where it costs least": placed,
    }


def sample(split: Split, count: int) -> Split:
    """Return ``count`` images of ``split``, always the same, drawn without repetition."""
    chosen = np.random.default_rng(0).permutation(len(split))[:count]
    return Split(split.images[chosen], split.labels[chosen], split.image)


def is_begun(folder: Path) -> bool:
    """Whether ``folder`` holds a run, finished or not."""
    return any((folder / name).exists() for name in (STATE_FILE, CHECKPOINT_FILE))


def compare(
    ways: dict[str, ModelSpec], scores: dict[str, list[float]], latencies_ms: list[float]
) -> list[dict[str, Any]]:
    """Return one row per way; gains are over the static network of the same seed."""
    static_ms, static = latencies_ms[0], next(iter(scores.values()))
    rows = []
    for (way, spec), latency_ms in zip(ways.items(), latencies_ms, strict=True):
        accuracies = [100 * top1 for top1 in scores[way]]
        gains = [100 * (top1 - base) for top1, base in zip(scores[way], static, strict=True)]
        added_ms = latency_ms - static_ms
        is_static = not spec.is_dynamic
        rows.append(
            {
                "way": way,
                "layers": 0 if is_static else len(layers_of(spec)),
                "accuracy_pct": statistics.mean(accuracies),
                "accuracy_std_pct": _std(accuracies),
                "latency_ms": latency_ms,
                "added_ms": None if is_static else added_ms,
                "gain_pct": None if is_static else statistics.mean(gains),
                "gain_std_pct": None if is_static else _std(gains),
                "gain_pct_per_added_ms": None if is_static else statistics.mean(gains) / added_ms,
                "accuracy_pct_per_ms": statistics.mean(accuracies) / latency_ms,
                "accuracies_pct": accuracies,
            }
        )
    return rows


def layers_of(spec: ModelSpec) -> tuple[str, ...]:
    """Return the paths that are dynamic in ``spec``."""
    patterns = ("everywhere",) if spec.dynamic_at is None else spec.dynamic_at
    return resolve(patterns, [site.path for site in find_sites(spec)])


def summarise(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return whether ours is ahead of each other dynamic way, by both measures."""
    *others, ours = rows[1:]
    return {
        key: {row["way"]: ours[key] > row[key] for row in others}
        for key in ("gain_pct_per_added_ms", "accuracy_pct_per_ms", "accuracy_pct")
    } | {"gain_pct": ours["gain_pct"]}


def _std(values: list[float]) -> float:
    return statistics.stdev(values) if len(values) > 1 else 0.0


if __name__ == "__main__":
    main()
