"""What a search found, as a file, and as a recipe that the other commands take."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import msgspec

from edgekit.data import Dataset
from edgekit.models import ModelSpec
from edgekit.search.blocks.costs import BlockCosts
from edgekit.training import Recipe
from runtime.bundle import write_atomic
from runtime.bundle.decoding import read_json
from runtime.errors import CheckpointError
from runtime.extras import require

SEARCH_FILE, RECIPE_FILE, COSTS_FILE = "search.json", "found.yaml", "costs.json"
_OF_DATA = {"name", "num_classes", "in_channels", "image_size"}
_OF_STEPS = ("batch_size", "optimizer", "lr", "weight_decay", "warmup_epochs")
_DEFAULTS = Recipe()
_PREFERRED = 1.5  # times as likely as by chance


@dataclass(frozen=True)
class StageReport:
    """One stage: what it learnt from and what it left.

    Attributes:
        classes: labels of its images, easiest classes first in later stages.
        images, epochs: trained on, and how often.
        block_images: forward passes of blocks, times their images.
        top1: accuracy of the likeliest blocks on images kept from training, among the stage's classes;
            with shared weights and statistics, so far below what the same blocks reach alone.
        candidates: names left at each place after it.
    """

    classes: tuple[str, ...]
    images: int
    epochs: int
    block_images: int
    top1: float
    candidates: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class SearchResult:
    """The blocks that were found, and how.

    Attributes:
        spec: the network with these blocks.
        latency_ms, own_ms, budget_ms: of it, of the network with its own blocks, and what was allowed.
        target, setting, provenance: where the latencies are of, and how they came about.
        places: cost of each candidate at each place, in ms; ``probabilities`` at the end, of those left.
        block_images: what the search computed; ``full_block_images`` what it would have on all data.
        run: all that decided the result.
    """

    spec: ModelSpec
    latency_ms: float
    own_ms: float
    budget_ms: float
    target: str
    setting: str
    provenance: str
    places: tuple[dict[str, float], ...]
    probabilities: tuple[dict[str, float], ...]
    stages: tuple[StageReport, ...]
    block_images: int
    full_block_images: int
    duration_s: float
    run: dict[str, Any]

    @property
    def choices(self) -> tuple[str, ...]:
        """The block at each place."""
        return self.spec.choices or ()

    @property
    def cost_share(self) -> float:
        """What was computed, as a share of what the same search takes on all data."""
        return self.block_images / self.full_block_images

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to know before believing in the result."""
        found = []
        slowest_ms = self.own_ms + sum(
            max(costs.values()) - costs.get("own", 0.0) for costs in self.places if len(costs) > 1
        )
        if self.budget_ms >= slowest_ms:
            found.append(
                f"every network of the space is within {self.budget_ms:.4g} ms, so the budget decided "
                "nothing; the whole space is asked for accuracy alone"
            )
        open_places = [each for each in self.probabilities if len(each) > 1]
        if open_places and max(max(each.values()) * len(each) for each in open_places) < _PREFERRED:
            found.append(
                "no block is clearly preferred to the others of its place: the search learnt next to "
                "nothing; search with more --epochs, or on more images"
            )
        return tuple(found)


def save_result(
    result: SearchResult, folder: Path, dataset: Dataset, recipe: Recipe, data_root: str | None
) -> None:
    """Write ``search.json`` last, so that a folder that has it has the recipe, too."""
    write_recipe(result.spec, folder / RECIPE_FILE, dataset, recipe, data_root)
    write_atomic(folder / SEARCH_FILE, msgspec.json.format(msgspec.json.encode(result), indent=1))


def write_recipe(
    spec: ModelSpec, path: Path, dataset: Dataset, recipe: Recipe, data_root: str | None = None
) -> None:
    """Write a recipe file that trains the network of ``spec`` by steps as ``recipe`` makes them."""
    yaml = require("yaml", extra="train")
    chosen: dict[str, Any] = {"model": spec.name, "data": dataset.name}
    if data_root is not None:
        chosen["data-root"] = data_root
    chosen["image-size"] = spec.image_size
    for item in fields(ModelSpec):
        value = getattr(spec, item.name)
        if item.name not in _OF_DATA and value != item.default:
            chosen[item.name.replace("_", "-")] = list(value) if isinstance(value, tuple) else value
    for name in _OF_STEPS:
        value = getattr(recipe, name)
        if value != getattr(_DEFAULTS, name):
            chosen[name.replace("_", "-")] = value
    text = yaml.safe_dump(chosen, sort_keys=False, default_flow_style=None, width=100)
    head = "# The blocks that edgekit search found; train them: edgekit train found.yaml\n"
    write_atomic(path, (head + text).encode())


def load_result(folder: Path) -> SearchResult:
    """Return what the search in ``folder`` found.

    Raises:
        CheckpointError: it is damaged.
    """
    return _read(folder / SEARCH_FILE, SearchResult)


def load_costs(folder: Path) -> BlockCosts:
    """Return the costs that a search in ``folder`` began with.

    Raises:
        CheckpointError: they are damaged.
    """
    return _read(folder / COSTS_FILE, BlockCosts)


def save_costs(costs: BlockCosts, folder: Path) -> None:
    """Write them for a search that is resumed."""
    write_atomic(folder / COSTS_FILE, msgspec.json.format(msgspec.json.encode(costs), indent=1))


def _read(path: Path, kind: type) -> Any:
    advice = "search into another --out"
    return read_json(path, kind, where=f"{path} is damaged", advice=advice, error=CheckpointError)
