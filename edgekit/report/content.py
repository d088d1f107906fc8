"""Everything the report shows, collected from a bundle; what is missing says which command makes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from edgekit.report import facts, units
from edgekit.report.facts import Change, Fact
from runtime.bundle import Bundle, Variant, decode_file
from runtime.bundle.names import slug
from runtime.bundle.workload import Workload
from runtime.choose.fitting import FitResult, usable_records
from runtime.choose.policy.policy import Policy, load_policy
from runtime.device.provenance import Provenance, least_certain
from runtime.device.soc import SocProfile, list_profiles, load_profile
from runtime.device.soc.generic import PREFIX
from runtime.errors import EdgekitError
from runtime.flow.frames import FlowBundle, as_frames
from runtime.govern.run.run import RunResult
from runtime.govern.run.runs import load_run
from runtime.measure.origin import by_machine, machine_text, origin_of
from runtime.measure.profiling.kept import KeptProfile, load_profiles
from runtime.measure.records import Record, RecordLog

T = TypeVar("T")
VIRTUAL = "virtual:"


@dataclass(frozen=True)
class VariantView:
    """One exported file, or all files of a flow, and what a frame of it costs."""

    variant: Variant
    size_bytes: int
    workload: Workload | None


@dataclass(frozen=True)
class TargetView:
    """What is known of the bundle on one target; a part that is not there is ``None`` or empty.

    Attributes:
        blocks: records of the bundle's files as they are now, in the order they were made.
        profiles: the last one of each variant.
        stale_records: how many others there are, of files that were exported again since.
        profile: of a virtual target.
        notes: what is missing or unusable, and the command that makes it.
        machine: that made the blocks, where the target's records are of several: each has a view of its own.
    """

    name: str
    policy: Policy | None
    fit: FitResult | None
    run: RunResult | None
    blocks: tuple[Record, ...]
    profiles: tuple[KeptProfile, ...]
    stale_records: int
    profile: SocProfile | None
    notes: tuple[str, ...]
    machine: str | None = None

    @property
    def title(self) -> str:
        """Return the target's name, and the machine where several share the name."""
        return self.name if self.machine is None else f"{self.name}, {self.machine}"

    @property
    def records(self) -> tuple[Record, ...]:
        """Return the newest record of each variant and setting."""
        return tuple({(block.variant, block.setting): block for block in self.blocks}.values())

    @property
    def provenance(self) -> Provenance:
        """Return what to call every figure of latency of this target."""
        if self.policy is not None:
            return self.policy.provenance
        if self.records:
            return least_certain(record.provenance for record in self.records)
        return Provenance.MODELLED if self.name.startswith(VIRTUAL) else Provenance.MEASURED


@dataclass(frozen=True)
class Content:
    """All that the template is given.

    Attributes:
        score: of the checkpoint on its test set, by its task's metric.
        metric: what scores are called.
    """

    bundle: Bundle
    variants: tuple[VariantView, ...]
    frames: tuple[VariantView, ...]
    targets: tuple[TargetView, ...]
    score: float | None
    metric: str
    params: float | None
    macs: float | None
    changes: tuple[Change, ...]
    facts: tuple[Fact, ...]

    @property
    def score_name(self) -> str:
        """What a score is called in a sentence."""
        return "top-1 accuracy" if self.metric == "top1" else self.metric

    def score_text(self, score: float) -> str:
        """Return a score as it is read: a share of right labels in percent, whatever else as it is."""
        if self.metric == "top1":
            return units.percent(100 * score if score <= 1 else score)
        return f"{score:.4g}"


def collect(bundle: Bundle, target: str | None = None) -> Content:
    """Return what there is to report on ``bundle``.

    Args:
        target: only this target; ``None`` for every target the bundle knows of.
    """
    manifest = bundle.manifest
    sizes = {entry.path: entry.size_bytes for entry in manifest.files}
    variants = tuple(VariantView(v, sizes[v.path], bundle.workload(v)) for v in manifest.variants)
    known = _targets(bundle)
    names = known if target is None else [target]
    macs = facts.number(manifest.source, "macs")
    if macs is None and variants[0].workload is not None:
        macs = float(variants[0].workload.macs)
    task = manifest.task_or_implied
    metric = task.metric if task is not None and task.metric else "top1"
    changed = tuple(facts.changes(manifest.source))
    after = {change.name: change.after for change in changed}
    return Content(
        bundle=bundle,
        variants=variants,
        frames=_frames(bundle, sizes),
        targets=tuple(view for name in names for view in _views(bundle, name, is_asked=target is not None)),
        score=facts.number(manifest.source, f"test_{metric}", metric),
        metric=metric,
        params=after.get("params", facts.number(manifest.source, "params")),
        macs=after.get("macs", macs),
        changes=changed,
        facts=tuple(facts.provenance(manifest)),
    )


def _frames(bundle: Bundle, sizes: Mapping[str, int]) -> tuple[VariantView, ...]:
    try:
        whole = as_frames(bundle)
    except ValueError:  # no engine runs the whole flow: what is wrong stands with each target
        return ()
    if not isinstance(whole, FlowBundle):
        return ()
    return tuple(
        VariantView(v, sum(sizes[file.path] for file in whole.files[v.name].values()), whole.workload(v))
        for v in whole.manifest.variants
    )


def _targets(bundle: Bundle) -> list[str]:
    """Return the targets that the bundle has a policy, a predictor or records for; tuned ones first."""
    listed = [bundle.file(path) for kind in ("policy", "predictor") for path in bundle.find(kind)]
    files = [path for path in listed if path.suffix == ".json"]
    files += sorted(path for path in (bundle.path / "records").glob("*.jsonl") if path.is_file())
    return list(dict.fromkeys(map(_target_of, files)))


def _target_of(path: Path) -> str:
    """Return the target a file is about: what it says, or what its name says where it cannot be read."""
    first = path.read_bytes().partition(b"\n")[0] if path.suffix == ".jsonl" else path.read_bytes()
    try:
        return msgspec.json.decode(first, type=_About).target
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        prefix = slug(VIRTUAL)
        return VIRTUAL + path.stem.removeprefix(prefix) if path.stem.startswith(prefix) else path.stem


@dataclass(frozen=True)
class _About:
    target: str


def _views(bundle: Bundle, name: str, *, is_asked: bool) -> list[TargetView]:
    """Return what is known of a target: apart for each machine that made records under its name.

    Args:
        is_asked: the user named the target. Else a file of the bundle did, which opens none of this machine.
    """
    notes: list[str] = []

    def softly(read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except (EdgekitError, ValueError) as err:
            # A report is passed on: it names the bundle, not where it lies on this machine.
            notes.append(" ".join(str(err).replace(str(bundle.path), bundle.path.name).split()))
            return otherwise

    everything: list[Record] = softly(lambda: list(RecordLog(_records_path(bundle, name))), [])
    made = by_machine(record for record in everything if record.target == name)
    *others, last = [machine for machine in made if machine] or [()]
    mine = [r for r in everything if r.target != name or origin_of(r).machine not in others]
    frames: Bundle = softly(lambda: as_frames(bundle), bundle)
    usable, left_out = usable_records(frames, name, mine, include_unstable=True)
    policy: Policy | None = softly(lambda: load_policy(bundle, name), None)
    fit: FitResult | None = softly(lambda: _fit(bundle, name), None)
    profile: SocProfile | None = None
    soc = name.removeprefix(VIRTUAL)
    if name.startswith(VIRTUAL) and (is_asked or soc.startswith(PREFIX) or soc in list_profiles()):
        profile = softly(lambda: load_profile(soc), None)
    elif name.startswith(VIRTUAL):
        named = f"edgekit report {bundle.path.name} --target {name}"
        notes.append(f"its SoC file is opened only where you name it: {named}")
    if not usable:
        notes.append(f"no records; make some: edgekit bench {bundle.path.name} --target {name}")
    if others:
        named = " and of ".join(map(machine_text, others))
        notes.append(
            f"records of this target are also of {named}, shown apart; `edgekit bench --again` moves them"
        )
    view = TargetView(
        name=name,
        policy=policy,
        fit=fit,
        run=softly(lambda: load_run(bundle, name), None),
        blocks=tuple(usable),
        profiles=tuple(softly(lambda: load_profiles(bundle, name), [])),
        stale_records=left_out.get("other model file", 0),
        profile=profile,
        notes=tuple(notes),
        machine=machine_text(last) if others else None,
    )
    return [view, *(_other_view(frames, name, machine_text(other), made[other]) for other in others)]


def _other_view(bundle: Bundle, name: str, machine: str, records: list[Record]) -> TargetView:
    usable, left_out = usable_records(bundle, name, records, include_unstable=True)
    stale = left_out.get("other model file", 0)
    return TargetView(name, None, None, None, tuple(usable), (), stale, None, (), machine)


def _records_path(bundle: Bundle, target: str) -> Path:
    return bundle.path / "records" / f"{slug(target)}.jsonl"


def _fit(bundle: Bundle, target: str) -> FitResult | None:
    path = f"predictors/{slug(target)}.json"
    return decode_file(bundle.file(path), FitResult) if path in bundle.find("predictor") else None
