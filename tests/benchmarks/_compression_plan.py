"""What the pruning table trains: a few dense networks, and rows that each begin with all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit.sweep import SweepPlan
from edgekit.sweep.jobs import JobResult, run_job, stored_result

ONE_SHOT, TRAINED, DENSE = "one-shot", "one-shot-trained", "dense"
AT_HALF = (TRAINED, "increg", "spp", ONE_SHOT, "random", "taylor")  # of the MACs, beside a quarter
AT_A_QUARTER = (
    *(DENSE, "thin", "sfp", "psfp", "increg-linear", "stripe", "from-scratch"),
    *("magnitude", "fpgm", "lamp", "bn-scale", "group-norm", "growing-reg"),
)
GRADUAL = (TRAINED, "increg", "increg-linear", "spp", "sfp", "psfp", "stripe", "group-norm", "growing-reg")
FROM_RANDOM = ("thin", "from-scratch")
NETWORKS: dict[str, dict[str, float]] = {"resnet20": {}, "mobilenet_v2": {"width": 0.5}}
_FEW = (TRAINED, "increg", "spp", ONE_SHOT)  # rows of a network that takes three times as long
_LR = 0.05


@dataclass(frozen=True)
class Size:
    """How long everything is trained, in epochs, on how many images.

    Attributes:
        dense: of the dense networks.
        method, after: of a row with a method that acts while training, and after the removal; a row
            that cuts at once is trained as long as both together.
        gates: of the search that begins with random weights; like the thin network it is trained, in
            all, as long as a dense network and a row.
        network: one of ``NETWORKS``.
    """

    images: int
    dense: int
    method: int
    after: int
    gates: int
    seeds: tuple[int, ...]
    network: str = "resnet20"

    @property
    def row(self) -> int:
        return self.method + self.after


FULL = Size(5000, dense=30, method=15, after=5, gates=10, seeds=(0, 1, 2))
QUICK = Size(2000, dense=8, method=4, after=2, gates=3, seeds=(0,))


def name_of(row: str, share: int) -> str:
    """Return the name of a row at ``share`` percent of the MACs."""
    return row if row == DENSE else f"{row}@{share}"


def train_dense(size: Size, folder: Path, data_root: str) -> dict[int, JobResult]:
    """Return, by seed, the result of the dense networks, trained below ``folder`` where they are not yet."""
    recipe = {**_common(size, data_root), "epochs": size.dense, "lr": _LR}
    found = {}
    for seed in size.seeds:
        place = _dense_folder(size, folder) / str(seed)
        found[seed] = stored_result(place) or run_job({**recipe, "seed": seed}, str(place))
    return found


def plan_rows(size: Size, folder: Path, data_root: str, rows: Sequence[str], workers: int = 1) -> SweepPlan:
    """Return the plan of ``rows``, as ``name_of`` calls them, of those that ``row_names`` has."""
    init = str(_dense_folder(size, folder) / "{seed}" / "run")
    recipe = {**_common(size, data_root), "init": init, "epochs": size.row, "lr": _LR / 2, "warmup_epochs": 1}
    variants = {name: _change(size, name) for name in row_names(size.network) if name in rows}
    return SweepPlan(recipe=recipe, out=str(folder), variants=variants, seeds=size.seeds, workers=workers)


def row_names(network: str = "resnet20") -> list[str]:
    """Return all rows of a network, those that must hold something first."""
    if network != "resnet20":
        return [name_of(row, 25) for row in _FEW]
    both = [name_of(row, share) for share in (25, 50) for row in AT_HALF]
    return [*both, *(name_of(row, 25) for row in AT_A_QUARTER)]


def _dense_folder(size: Size, folder: Path) -> Path:
    return folder.absolute() / f"dense-{size.images}-{size.dense}"


def _common(size: Size, data_root: str) -> dict[str, Any]:
    return {
        "model": size.network,
        **NETWORKS[size.network],
        "data": "cifar10",
        "data_root": data_root,
        "image_size": 16,
        "limit": size.images,
        "eval_every": max(size.dense, size.row) * 2,  # the last epoch is tested in any case
        "precision": "bf16-mixed",
        "device": "cpu",
    }


def _change(size: Size, name: str) -> dict[str, Any]:
    row, _, share = name.partition("@")
    if row == DENSE:
        return {}
    prune = {"macs": f"{share}%", "round-to": 4, "method": ONE_SHOT if row == TRAINED else row}
    if row in GRADUAL:
        return {"prune": {**prune, "epochs": size.method, "finetune-epochs": size.after}}
    if row not in FROM_RANDOM:
        return {"prune": {**prune, "epochs": 0, "finetune-epochs": size.row}}
    search = size.gates if row == "from-scratch" else 0
    epochs = {"epochs": search, "finetune-epochs": size.dense + size.row - search}
    return {"lr": _LR, "warmup_epochs": 2, "prune": {**prune, **epochs}}
