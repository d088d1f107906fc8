"""Records of gestures on pages that do not exist, on SoCs that do."""

import numpy as np

from runtime.device.setting import Setting
from runtime.device.soc import load_profile
from runtime.measure.gesture_figures import GestureFigures
from runtime.measure.records import Record
from runtime.web.learning.pages import KnownPage

WINDOW_S = 5.0
SETTINGS = (
    ("little", 400000), ("little", 800000), ("little", 1400000),
    ("big", 600000), ("big", 1000000), ("big", 2000000),
)  # fmt: skip


def record(page, cluster="big", freq_khz=2000000, fps=50.0, *, target="emulated:exynos5422", **given):
    """Return a record of one scroll; ``given``: of its figures, or ``power_mw``, ``verdict``, ``run``."""
    figures = {name: given.pop(name) for name in ("probe_ms", "main_fps", "capacity") if name in given}
    work_ms = given.pop("work_ms", {"main": 1.0, "compositor": 1.0, "viz": 1.4})
    speed, kind = given.pop("speed", 1800.0), given.pop("kind", "scroll")
    displayed = max(round(fps * WINDOW_S), 0)
    profile = load_profile(target.partition(":")[2])
    gesture = GestureFigures(
        kind=kind, speed=speed, source="wheel", factor=1.0, window_s=WINDOW_S, refresh_hz=60.0,
        displayed_frames=displayed, longest_gap_ms=float(1000 / max(fps, 1)), work_ms=work_ms,
        **{"capacity": profile.capacity(cluster, freq_khz)} | figures,
    )  # fmt: skip
    return Record(
        model=page, model_sha256="0" * 64, variant=f"{kind}-{speed:g}", engine="chromium", precision="",
        target=target, provenance=given.pop("provenance", "emulated"), setting=Setting(cluster, freq_khz),
        setting_read=Setting(cluster, freq_khz), control_level="full",
        samples_ms=(float(1000 / max(fps, 1)),),
        first_frame_ms=None, warmup=0, power_mw=given.pop("power_mw", None), energy_mj=None,
        energy_source="a table", temp_c=None,
        verdict=given.pop("verdict", "stable"), reasons=(), block=0, seed=0, created_utc="2026-01-01",
        fps_target=60.0, gesture=gesture, **given,
    )  # fmt: skip


def world(
    n_pages=24,
    n_families=8,
    runs=2,
    seed=0,
    noise=0.04,
    target="emulated:exynos5422",
    slow=1.0,
    settings=SETTINGS,
):
    """Return records of pages under settings, and what is known of the pages.

    A page's work follows from how many nodes and shadows it has; of families, some have a habit of their own.

    Args:
        slow: how much longer a frame takes on this target than it should.
    """
    rng = np.random.default_rng(seed)
    profile = load_profile(target.partition(":")[2])
    records, known = [], {}
    for number in range(n_pages):
        family = number % n_families
        nodes, shadows = float(np.exp(rng.normal(6, 1))), int(rng.integers(0, 40))
        page = f"family{family}/page{number}"
        known[page] = KnownPage(page, f"family{family}", {"nodes": nodes, "shadows": float(shadows)})
        habit = float(np.exp(0.15 * np.sin(family)))
        work = {"main": 0.4 * habit + nodes / 800, "compositor": 0.9, "viz": 0.8 + shadows / 8}
        frame_ms = slow * sum(work.values())
        for cluster, khz in settings:
            left = profile.capacity(cluster, khz) / 1024 - 0.03
            rate = 1000 * left / frame_ms
            truth = 60 / (1 + (rate / 60) ** -4) ** 0.25
            for _ in range(runs):
                fps = min(truth * np.exp(noise * (1.1 - truth / 60) * rng.standard_normal()), 60)
                records.append(record(page, cluster, khz, fps, target=target, work_ms=work))
    return records, known
