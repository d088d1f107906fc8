"""What is said of a fitted predictor, and kept beside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from runtime.bundle.figures import check_figures
from runtime.device.provenance import Provenance
from runtime.device.setting import Setting

FIT_SCHEMA = 2  # 2: the kind of interval with the reason, the models, and how it was made


@dataclass(frozen=True)
class FitResult:
    """What a predictor was fitted to and how well it does.

    Attributes:
        scores: error of each candidate in percent, by grouped cross-validation; of each correction, sample
            by sample, where a predictor was transferred.
        chosen: name of the candidate with the least.
        holdout_mape_pct: its error on groups that neither the fit nor the choice has seen; of a
            transferred one on the samples, each predicted from the others; of a corrected one on the run.
        interval: ``split`` (equally wide everywhere), ``normalised`` (by a learnt difficulty), or
            ``jackknife`` (of a few samples).
        interval_reason: why this one, with the widths that were measured.
        interval_pct: how far the upper latency bound lies above the expected latency; the middle one.
        confidence: share of new groups the interval is made to hold.
        n_records, n_groups, grouped_by: what it learnt from, and what was kept together.
        left_out: records not used, by reason.
        provenance: of the records.
        variants: those that it knows.
        clocks_khz: lowest and highest clock it knows per cluster; ``None`` is the kernel's clock.
        threads: numbers of threads it knows.
        models: names of the bundles whose records it learnt from.
        made_by: ``fit``, ``transfer`` or ``update``.
        source: the target a predictor was transferred from.
        drifts: how often a run contradicted it, so that it was corrected.
    """

    target: str
    scores: dict[str, float]
    chosen: str
    holdout_mape_pct: float
    interval_pct: float
    confidence: float
    n_records: int
    n_groups: int
    grouped_by: str
    left_out: dict[str, int]
    provenance: Provenance
    variants: tuple[str, ...]
    clocks_khz: dict[str, tuple[int | None, int | None]]
    threads: tuple[int, ...]
    features: tuple[str, ...]
    seed: int
    created_utc: str
    interval: str
    interval_reason: str
    models: tuple[str, ...]
    made_by: str = "fit"
    source: str | None = None
    drifts: int = 0
    schema_version: int = FIT_SCHEMA

    def __post_init__(self) -> None:
        check_figures(self)

    def covers(self, setting: Setting) -> bool:
        """Return whether ``setting`` lies between settings that it knows."""
        if setting.cluster not in self.clocks_khz or setting.threads not in self.threads:
            return False
        low_khz, high_khz = self.clocks_khz[setting.cluster]
        if setting.freq_khz is None or low_khz is None or high_khz is None:
            return setting.freq_khz is low_khz is high_khz
        return low_khz <= setting.freq_khz <= high_khz


def clocks_of(settings: Iterable[Setting]) -> dict[str, tuple[int | None, int | None]]:
    """Return the lowest and the highest clock of each cluster in kHz; ``None``: the kernel's."""
    clocks: dict[str, list[int]] = {}
    for setting in settings:
        seen = clocks.setdefault(setting.cluster, [])
        if setting.freq_khz is not None:
            seen.append(setting.freq_khz)
    return {name: (min(seen), max(seen)) if seen else (None, None) for name, seen in clocks.items()}
