"""Blocks searched on more and more classes, on all data, and by lot: ``python -m tests.benchmarks.search``.

The same space, latency and seeds three ways. *Progressive* is ``edgekit search``; *all data* is the same
search with all classes in every stage; *random* trains networks of the space by lot, none faster than
it need be, for as many block passes as the progressive search made, and takes the best on the images
that the others judge by. Each network that is found is trained from its start on all training images,
and tested on the test images, which decided nothing. Latencies are modelled. With ``--runs`` a benchmark
that was interrupted goes on.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec
import numpy as np
import torch

from edgekit.cli._output import note
from edgekit.data import Dataset, limit_training, load_dataset
from edgekit.data.dataset import stratified_split
from edgekit.models import ModelSpec
from edgekit.models.choices import SKIP
from edgekit.pruning.latency_limit import parse_latency
from edgekit.search.blocks import SEARCH_RECIPE, SearchPlan, Space, Timing, search, space_of, timing_on
from edgekit.search.blocks.costs import BlockCosts, measure_costs
from edgekit.search.blocks.result import COSTS_FILE, save_costs
from edgekit.sweep.table import interval, verdict
from edgekit.training import Checkpoint, fit_spec, train
from edgekit.training.checkpoint import CHECKPOINT_FILE
from edgekit.training.state import STATE_FILE
from runtime.bundle import write_atomic
from tests.benchmarks._table import show, write_report

PLAN = SearchPlan()
ALL_DATA = replace(PLAN, shares=(1.0,) * len(PLAN.shares))
RECIPE = replace(SEARCH_RECIPE, device="cpu")
LEAST = 0.85  # of the budget must be used by a network drawn by lot: faster ones would be easy to beat
COLUMNS = {
    "way": "blocks by",
    "cost": "block passes x images",
    "cost_share": "of all data",
    "minutes": "CPU minutes",
    "latency_ms": "latency, ms",
    "accuracy_pct": "accuracy, %",
    "accuracy_std_pct": "sd",
    "difference_pct": "minus random",
    "half_width_pct": "+- (95 %)",
    "verdict": "verdict",
}


@dataclass(frozen=True)
class Bench:
    """What all ways share."""

    dataset: Dataset
    space: Space
    timing: Timing
    costs: BlockCosts
    budget: str
    epochs: int
    final_epochs: int
    folder: Path

    @property
    def budget_ms(self) -> float:
        """The latency that is allowed."""
        given = parse_latency(self.budget)
        return given.get("ms", self.costs.own_ms * given.get("share", 0.0))

    def searched(self, way: str, plan: SearchPlan, seed: int) -> dict[str, Any]:
        """Return what a search finds."""
        place, began_s = self.folder / f"{way}-{seed}", time.process_time()
        place.mkdir(exist_ok=True)
        if not (place / COSTS_FILE).exists():
            save_costs(self.costs, place)  # the same for all
        recipe = replace(RECIPE, epochs=self.epochs, seed=seed)
        how = {"latency": self.budget, "timing": self.timing, "plan": plan, "resume": True}
        found = search(self.space.spec, self.dataset, recipe, place, **how, progress=note)
        left = [sum(map(len, stage.candidates)) for stage in found.stages]
        return self.tested(way, seed, found.choices, found.block_images, began_s) | {"candidates": left}

    def random(self, seed: int, cost: int, tries_epochs: int) -> dict[str, Any]:
        """Return the best of networks drawn by lot, after block passes that come to ``cost``."""
        began_s, rng, spent, scores = time.process_time(), np.random.default_rng(seed), 0, {}
        labels = self.dataset.train.labels
        learn, judge = stratified_split(labels, PLAN.validation, seed)
        train_split, judged_by = self.dataset.train.part(learn), self.dataset.train.part(judge)
        few = replace(self.dataset, train=train_split, test=judged_by)
        batch = RECIPE.batch_size
        while True:
            choices = self.drawn(rng)
            passes = sum(choice != SKIP for choice in choices) * (len(learn) // batch * batch) * tries_epochs
            if spent + passes > cost and scores:
                break
            spent += passes
            name = f"random-{seed}-{len(scores)}"
            scores[choices] = self.trained(name, choices, few, tries_epochs, seed).metrics["test_top1"]
        best = max(scores, key=scores.__getitem__)
        return self.tested("random", seed, best, spent, began_s) | {"tried": len(scores)}

    def drawn(self, rng: np.random.Generator) -> tuple[str, ...]:
        """Return blocks drawn by lot whose latency is within the budget and not far below."""
        while True:
            choices = tuple(names[rng.integers(len(names))] for names in self.space.candidates)
            if LEAST * self.budget_ms <= self.costs.latency_ms(choices) <= self.budget_ms:
                return choices

    def trained(
        self, name: str, choices: Sequence[str], dataset: Dataset, epochs: int, seed: int
    ) -> Checkpoint:
        """Return the network of ``choices``, trained from its start."""
        place = self.folder / name
        begun = any((place / file).exists() for file in (STATE_FILE, CHECKPOINT_FILE))
        recipe = replace(RECIPE, epochs=epochs, seed=seed, eval_every=epochs)
        return train(self.space.spec_of(choices), dataset, recipe, place, resume=begun, progress=False)

    def tested(
        self, way: str, seed: int, choices: Sequence[str], cost: int, began_s: float
    ) -> dict[str, Any]:
        """Return the figures of a network that was found at a ``cost``."""
        minutes = (time.process_time() - began_s) / 60
        final = self.trained(f"{way}-{seed}-final", choices, self.dataset, self.final_epochs, seed)
        accuracy_pct = 100 * final.metrics["test_top1"]
        note(f"{way}, seed {seed}: {accuracy_pct:.1f} %, {cost:,} block passes x images")
        return {
            "accuracy_pct": accuracy_pct,
            "cost": cost,
            "latency_ms": self.costs.latency_ms(choices),
            "minutes": minutes,
            "choices": list(choices),
        }


@click.command()
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Where to write the result.")
@click.option("--model", default="mobilenet_v3_small", show_default=True)
@click.option("--width", type=float, default=0.25, show_default=True)
@click.option("--image-size", type=int, default=8, show_default=True)
@click.option("--data", default="digits", show_default=True, help="digits, fashion-mnist or cifar10.")
@click.option("--data-root", type=click.Path(path_type=Path), help="Where the dataset's files are.")
@click.option("--target", default="virtual:sdm845", show_default=True)
@click.option("--latency", default="60%", show_default=True)
@click.option("--images", type=int, default=800, show_default=True, help="To train on; 0: all.")
@click.option("--epochs", type=int, default=26, show_default=True, help="Of a search.")
@click.option("--tries-epochs", type=int, default=4, show_default=True, help="Of a network drawn by lot.")
@click.option("--final-epochs", type=int, default=20, show_default=True)
@click.option("--seeds", type=int, default=3, show_default=True)
@click.option("--runs", type=click.Path(path_type=Path), help="Folder that keeps what is finished.")
def main(
    json_path, model, width, image_size, data, data_root, target, latency, images, seeds, runs, **epochs
):
    """Search three ways and print what each costs and finds."""
    torch.set_num_threads(1)
    dataset = limit_training(load_dataset(data, root=data_root, image_size=image_size), images)
    space = space_of(fit_spec(ModelSpec(model, width=width), dataset), PLAN.candidates)
    with nullcontext(runs) if runs else tempfile.TemporaryDirectory() as folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        timing = timing_on(target)
        costs = measure_costs(space, timing, note)
        bench = Bench(
            dataset,
            space,
            timing,
            costs,
            latency,
            epochs["epochs"],
            epochs["final_epochs"],
            Path(folder),
        )
        found: dict[str, list[dict[str, Any]]] = {"progressive": [], "all data": [], "random": []}
        for seed in range(seeds):
            for way, plan in (("progressive", PLAN), ("all data", ALL_DATA)):
                make = partial(bench.searched, way, plan, seed)
                found[way].append(kept(bench.folder / f"{way}-{seed}.json", make))
            cost = found["progressive"][-1]["cost"]
            make = partial(bench.random, seed, cost, epochs["tries_epochs"])
            found["random"].append(kept(bench.folder / f"random-{seed}.json", make))
        rows = [row(way, results, found) for way, results in found.items()]
        show(COLUMNS, rows)
        summary = summarise(found, bench.budget_ms)
        for key, value in summary.items():
            note(f"{key}: {value}")
        facts = {"spec": asdict(space.spec), "plan": asdict(PLAN), "own_ms": costs.own_ms, **epochs}
        write_report(json_path, "search", rows, summary | facts)


def kept(path: Path, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what ``make`` returned before, as ``path`` has it, or make it now."""
    if not path.exists():
        write_atomic(path, msgspec.json.encode(make()))
    return msgspec.json.decode(path.read_bytes())


def row(way: str, results: list[dict[str, Any]], found: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Return a row of the table: means over the seeds."""
    mean = {key: statistics.mean(r[key] for r in results) for key in ("cost", "minutes", "latency_ms")}
    accuracies = [r["accuracy_pct"] for r in results]
    figures = {
        "way": way,
        **mean,
        "cost": round(mean["cost"]),
        "cost_share": mean["cost"] / statistics.mean(r["cost"] for r in found["all data"]),
        "accuracy_pct": statistics.mean(accuracies),
        "accuracy_std_pct": statistics.stdev(accuracies) if len(accuracies) > 1 else None,
        "difference_pct": None,
        "half_width_pct": None,
        "verdict": None,
        "seeds": results,
    }
    differences = [a - r["accuracy_pct"] for a, r in zip(accuracies, found["random"], strict=True)]
    half_width = interval(differences)
    if way != "random" and half_width is not None:
        mean_difference = statistics.mean(differences)
        figures["difference_pct"], figures["half_width_pct"] = mean_difference, half_width
        figures["verdict"] = verdict(mean_difference, half_width)
    return figures


def summarise(found: dict[str, list[dict[str, Any]]], limit_ms: float) -> dict[str, Any]:
    """Return what must hold of a progressive search, and whether it does."""
    ours, full = found["progressive"], found["all data"]
    shares = [a["cost"] / b["cost"] for a, b in zip(ours, full, strict=True)]
    left = [result["candidates"] for result in ours]
    return {
        "cost_share": max(shares),
        "cost_holds": max(shares) <= 0.5,
        "candidates": left,
        "candidates_never_rise": all(counts == sorted(counts, reverse=True) for counts in left),
        "budget_ms": limit_ms,
        "worst_latency_ms": max(result["latency_ms"] for result in ours),
        "latency_holds": all(result["latency_ms"] <= limit_ms for result in ours),
    }


if __name__ == "__main__":
    main()
