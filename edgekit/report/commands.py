"""The commands that make a bundle again, with the arguments its files tell of.

A bundle is not trusted, and these lines are made to be copied into a shell: every word is quoted,
and a line with a character that a reader cannot see is left out.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgekit.report.content import Content, TargetView
from runtime.bundle import Manifest
from runtime.choose.fitting import FitResult
from runtime.choose.policy.policy import Policy
from runtime.measure.records import Record


@dataclass(frozen=True)
class Command:
    """One line for a shell; ``remark``: what the bundle does not tell of it."""

    line: str
    remark: str = ""


def commands_of(content: Content) -> tuple[Command, ...]:
    """Return the commands in the order they are to be run; what was never run is left out."""
    bundle = content.bundle.path.name
    bundle = f"./{bundle}" if bundle.startswith("-") else bundle
    found: list[Command | None] = [_export(content.bundle.manifest, bundle)]
    for view in content.targets:
        where = [bundle, "--target", view.name]
        found.append(_bench(view, where, [v.variant.name for v in content.frames or content.variants]))
        if view.fit is not None:
            found.append(_fit(view.fit, where))
        if view.policy is not None:
            found.append(_tune(view, view.policy, where))
        if view.run is not None:
            found.append(_run(view, where))
        for kept in view.profiles:
            one = kept.profile
            options = {"variant": one.variant, "threads": one.threads, "runs": one.runs}
            found.append(_command("profile", where, options))
    found.append(_command("report", [bundle]))
    return tuple(command for command in found if command is not None)


def _command(
    name: str, words: Sequence[str], options: dict[str, object] | None = None, remark: str = ""
) -> Command | None:
    """Return the line; an option of ``None`` is left out, one of a list is repeated."""
    line = ["edgekit", name, *words]
    for option, value in (options or {}).items():
        values = value if isinstance(value, list) else [] if value is None else [value]
        for one in values:
            line += [f"--{option}", *([] if one is True else [_text(one)])]
    if not all(word.isprintable() for word in line):
        return None
    return Command(shlex.join(line), remark)


def _text(value: object) -> str:
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _export(manifest: Manifest, bundle: str) -> Command | None:
    source = manifest.source
    model, remark = _origin(source)
    if not model or model.startswith("-"):
        return None
    options: dict[str, object] = {"weights": "none" if source.get("weights") == "random" else None}
    options["engine"] = _distinct(variant.engine for variant in manifest.variants)
    precisions = _distinct(variant.precision for variant in manifest.variants)
    if precisions != ["fp32"]:
        options["precision"] = precisions
        remark += "Which data it was quantised with is not kept. "
    left = [op.op for v in manifest.variants if v.delegation for op in v.delegation.fallback if op.allowed]
    options["allow-fallback"] = _distinct(left)
    return _command("export", [model, "-o", bundle], options, remark.strip())


def _origin(source: Mapping[str, Any]) -> tuple[str, str]:
    """Return what was given to ``edgekit export`` as far as the manifest tells, and what it does not."""
    parts = {name: part for name in ("checkpoint", "user_model", "model") if (part := source.get(name))}
    if _is_text(parts.get("checkpoint"), "folder"):
        return parts["checkpoint"]["folder"], "Of the checkpoint's path only the last part is kept. "
    if _is_text(parts.get("user_model"), "file", "function"):
        user = parts["user_model"]
        return f"{user['file']}:{user['function']}", "Of the file's path only the last part is kept. "
    if _is_text(parts.get("model"), "name"):
        is_own = "file of the user" in str(source.get("weights"))
        remark = "The file of its weights is not kept: add --weights. " if is_own else ""
        return parts["model"]["name"], remark
    return "", ""


def _is_text(part: object, *names: str) -> bool:
    return isinstance(part, Mapping) and all(isinstance(part.get(name), str) for name in names)


def _bench(view: TargetView, where: Sequence[str], variants: Sequence[str]) -> Command | None:
    if not view.blocks:
        return None
    latest = [block for block in view.blocks if block.run == view.blocks[-1].run]
    first = latest[0]
    is_modelled = first.is_modelled
    benched = _distinct(block.variant for block in latest)
    options: dict[str, object] = {
        "variant": None if set(benched) == set(variants) else benched,
        "threads": sorted({block.setting.threads for block in latest}),
    }
    options |= _clocks(view, latest)
    if not is_modelled:
        options |= {
            "runs": len(first.samples_ms),
            "warmup": first.warmup,
            "blocks": max(_counts(latest)),
        }
    return _command("bench", where, options | {"seed": first.seed or None})


def _counts(blocks: Sequence[Record]) -> list[int]:
    keys = [(block.variant, block.setting) for block in blocks]
    return [keys.count(key) for key in dict.fromkeys(keys)]


def _clocks(view: TargetView, blocks: Sequence[Record]) -> dict[str, object]:
    """Return the clusters and clocks that were asked for, where they are not all that the target has."""
    benched = {(block.setting.cluster, block.setting.freq_khz) for block in blocks}
    offered = _offered(view) | benched
    clusters = _distinct(cluster for cluster, _ in sorted(benched, key=str))
    options: dict[str, object] = {}
    if {cluster for cluster, _ in offered} != set(clusters):
        options["cluster"] = clusters
        offered = {(cluster, khz) for cluster, khz in offered if cluster in clusters}
    is_known = view.profile is not None or view.policy is not None
    for every in range(1, 11) if is_known else ():
        if benched == _thinned(offered, every):
            return options | ({"every": every} if every > 1 else {})
    return options | {"freq-khz": sorted({khz for _, khz in benched if khz is not None})}


def _offered(view: TargetView) -> set[tuple[str, int | None]]:
    if view.profile is not None:
        return {(cluster.name, opp.freq_khz) for cluster in view.profile.clusters for opp in cluster.opps}
    considered = view.policy.considered if view.policy is not None else ()
    return {(estimate.setting.cluster, estimate.setting.freq_khz) for estimate in considered}


def _thinned(offered: set[tuple[str, int | None]], every: int) -> set[tuple[str, int | None]]:
    """Return what ``bench --every`` takes: every Nth clock from the fastest on, and the slowest."""
    kept: set[tuple[str, int | None]] = {(cluster, khz) for cluster, khz in offered if khz is None}
    for cluster in {cluster for cluster, _ in offered}:
        clocks = sorted(khz for name, khz in offered if name == cluster and khz is not None)
        kept |= {(cluster, khz) for khz in [*clocks[::-every], *clocks[:1]]}
    return kept


def _fit(fit: FitResult, where: Sequence[str]) -> Command | None:
    remark = "" if fit.made_by != "update" else "It was corrected by a governed run since: fit --log FILE."
    return _command("fit", where, {"from": fit.source, "seed": fit.seed or None}, remark)


def _tune(view: TargetView, policy: Policy, where: Sequence[str]) -> Command | None:
    goal = policy.goal
    benched = {block.setting.threads for block in view.blocks}
    threads = sorted({estimate.setting.threads for estimate in policy.considered})
    variants = _distinct(estimate.variant for estimate in policy.considered)
    battery = policy.battery
    return _command(
        "tune",
        where,
        {
            "fps": goal.fps_target,
            "margin": goal.margin_pct or None,
            "objective": None if goal.objective == _default_objective(policy) else goal.objective,
            "latency-ms": goal.deadline_ms if goal.has_own_deadline else None,
            "quantile": goal.quantile,
            "energy-mj": goal.energy_budget_mj,
            "max-power-mw": goal.max_power_mw,
            "base-mw": goal.base_mw,
            "sleep-mw": goal.sleep_mw or None,
            "battery-mwh": battery.capacity_mwh if battery and battery.source == "as given" else None,
            "threads": None if set(threads) == benched else threads,
            "variant": None if set(variants) == {block.variant for block in view.blocks} else variants,
        },
    )


def _default_objective(policy: Policy) -> str:
    if policy.goal.energy_budget_mj is not None:
        return "budget"
    return "awake" if any(estimate.energy_mj is not None for estimate in policy.considered) else "core-time"


def _run(view: TargetView, where: Sequence[str]) -> Command | None:
    run, policy = view.run, view.policy
    assert run is not None
    options: dict[str, object] = {"input": [prediction.input for prediction in run.predictions]}
    if policy is None or run.variant != policy.variant:
        options["variant"] = run.variant
    if policy is None or run.fps_target != policy.fps_target:
        options["fps"] = run.fps_target
    if run.fps_target and run.deadline_ms:
        period_ms = 1000.0 / run.fps_target
        usual_ms = period_ms if policy is None else policy.goal.deadline_at(period_ms)
        if not math.isclose(run.deadline_ms, usual_ms, rel_tol=1e-6):
            options["latency-ms"] = run.deadline_ms
    return _command("run", where, options | {"frames": run.frames})


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))
