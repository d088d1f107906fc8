"""Write a policy as C: the decision alone, and a small governor around it for devices without Python."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from runtime._version import __version__
from runtime.bundle import Bundle, write_atomic
from runtime.bundle.disk import writing
from runtime.choose.decision import Hysteresis, SlowdownRule
from runtime.choose.decision.controller import DELAY_MEMORY, MOST_BEHIND
from runtime.choose.decision.outlook import ChangeCost
from runtime.choose.decision.slowdown import LEAST_REACH, RECENT
from runtime.choose.decision.table import DecisionTable
from runtime.choose.decision.trust import Trust
from runtime.choose.policy.policy import Policy
from runtime.device.provenance import Provenance
from runtime.device.soc import SocProfile, bounds_basis
from runtime.govern.compiled.c_source import TEMPLATES, c_double, c_name, c_sources, fill

PROGRAM = "edgekit-governor"


@dataclass(frozen=True)
class Emitted:
    """What was written.

    Attributes:
        name: what the C names begin with; also of the header and the source file.
        files: names of all files in ``folder``.
        rows: of the table.
        build: command that makes the governor.
    """

    folder: Path
    name: str
    files: tuple[str, ...]
    rows: int
    build: str


def emit_c(bundle: Bundle, policy: Policy, profile: SocProfile, folder: Path) -> Emitted:
    """Write header, source, governor and Makefile into ``folder``; files of an earlier time are replaced.

    The table has every variant and number of threads that the policy was chosen among.

    Args:
        profile: of the policy's target; gives each cluster its CPUs.

    Raises:
        ValueError: the policy's rows cannot be decided among, or are not of ``profile``.
        BundleError: ``folder`` cannot be written.
    """
    table, left_out = _of_one_clock(DecisionTable.from_policy(policy), profile)
    cpus = {cluster: profile.cluster(cluster).cpus for cluster in table.clusters}
    name = c_name(policy.model)
    limit_ms = policy.goal.latency_limit_ms
    texts = c_sources(
        policy.model, table, cpus, limit_ms, [*_about(bundle, policy, profile, table), *left_out]
    )
    texts |= governor_sources(policy.model)
    with writing(folder, sum(map(len, texts.values()))):
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in texts.items():
            write_atomic(folder / file, text.encode())
    return Emitted(folder, name, tuple(sorted(texts)), len(table.rows), f"make -C {folder}")


def _of_one_clock(table: DecisionTable, profile: SocProfile) -> tuple[DecisionTable, list[str]]:
    """Return the table without rows on several clusters as one, which the governor in C does not hold."""
    rows = tuple(row for row in table.rows if not profile.cluster(row.setting.cluster).members)
    if not rows:
        raise ValueError(
            f"every row of the policy is on several clusters as one ({table.rows[0].setting.cluster}), and "
            "the governor in C holds one: tune among fewer --threads, or run edgekit govern on the device"
        )
    count = len(table.rows) - len(rows)
    return replace(table, rows=rows), [f"Left out: {count} rows on several clusters as one"] if count else []


def governor_sources(
    model: str, rule: SlowdownRule | None = None, hysteresis: Hysteresis | None = None
) -> dict[str, str]:
    """Return the text of the governor's files, by name; ``c_sources`` gives the table to build it with.

    Args:
        rule, hysteresis: whose constants go into the code.
    """
    name = c_name(model)
    rule, hysteresis = rule or SlowdownRule(), hysteresis or Hysteresis()
    trust, change = Trust(), ChangeCost()
    words = {
        "NAME": name,
        "UPPER": name.upper(),
        "VERSION": __version__,
        "MOST_BEHIND": c_double(MOST_BEHIND),
        "DELAY_MEMORY": c_double(DELAY_MEMORY),
        "CALM_FRAMES": hysteresis.frames,
        "CALM_SAVED": f"(TABLE_IS_ENERGY ? {c_double(hysteresis.least_saved)} : 0.0)",
        "GAIN": f"(TABLE_IS_ENERGY ? {c_double(hysteresis.gain)} : 0.0)",
        "CHANGE_CLOCK_MS": c_double(change.clock_ms),
        "CHANGE_CLUSTER_MS": c_double(change.cluster_ms),
        "RECENT": RECENT,
        "MEMORY": rule.memory,
        "SETTLED": rule.settled,
        "FIRST_REACH": c_double(rule.first_reach),
        "LEAST_REACH": c_double(LEAST_REACH),
        "GROW": c_double(rule.grow),
        "SHRINK": c_double(rule.shrink),
        "FIRST_SPREAD": c_double(rule.first_spread),
        "LEAST_SPREAD": c_double(rule.least_spread),
        "LEVEL_TOLERANCE": c_double(rule.tolerance),
        "CLIP": c_double(rule.clip),
        "FORGET": c_double(rule.forget),
        "LOW": c_double(rule.low),
        "HIGH": c_double(rule.high),
        "MOST": c_double(rule.most),
        "SLOW_WINDOW": rule.window,
        "ROOM": c_double(rule.room),
        "LEAST_ROOM": c_double(rule.least_room),
        "TOLERANCE": c_double(trust.tolerance),
        "CALM_S": c_double(trust.calm_s),
        "LONGEST_S": c_double(trust.longest_s),
        "WINDOW": len(trust.most_outside) - 1,
        "MOST_OUTSIDE": ", ".join(map(str, trust.most_outside)),
    }
    texts = {file: fill(f"{file}.in", words) for file in ("table.h", "Makefile")}
    sources = (entry for entry in TEMPLATES.iterdir() if entry.name[-2:] in (".c", ".h"))
    return texts | {entry.name: entry.read_text(encoding="utf-8") for entry in sources}


def _bounds_text(policy: Policy, profile: SocProfile) -> str:
    """Return what the upper bounds rest on."""
    if policy.provenance is not Provenance.MODELLED:
        return f"upper bounds hold in {100 * policy.confidence:g} % of cases"
    if policy.chosen.latency_high_ms <= policy.chosen.latency_ms:
        return f"taken as it is, with a margin of {policy.goal.margin_pct:g} %"
    return bounds_basis(profile)


def _about(bundle: Bundle, policy: Policy, profile: SocProfile, table: DecisionTable) -> list[str]:
    paths = {variant.name: variant.path for variant in bundle.manifest.variants}
    hashes = {entry.path: entry.sha256 for entry in bundle.manifest.files}
    energy = "known" if any(row.energy_mj is not None for row in table.rows) else "not known"
    return [
        f"Model: {policy.model}",
        *(
            f"Variant: {variant}, sha256 {hashes.get(paths.get(variant, ''), 'not known')}"
            for variant in dict.fromkeys(row.variant for row in table.rows)
        ),
        f"Target: {policy.target} ({profile.title}); tuned at {policy.created_utc}",
        f"Made for: {policy.fps_target:g} FPS, a frame in {policy.goal.latency_limit_ms:.6g} ms; "
        f"{policy.objective}",
        f"Latency: {policy.provenance}, from {policy.predictor}; {_bounds_text(policy, profile)}",
        f"Energy: {energy}; power from {policy.energy_source}",
    ]
