"""Records of gestures on pages that do not exist, as `edgekit web bench` keeps them."""

from dataclasses import replace

from runtime.device.meters import EnergyReading
from runtime.device.setting import Setting
from runtime.device.soc import load_profile
from runtime.measure.gesture_figures import GestureFigures
from runtime.measure.records import Record, RecordLog
from runtime.web.learning.pages import PAGES_FILE, KnownPage, write_pages

TARGET = "emulated:exynos5422"
WORK_MS = {"main": 2.0, "compositor": 0.8, "raster": 3.0, "viz": 1.2}
# Cluster, clock in kHz, gaps between frames in ms over 3 s, power in mW.
FAST = ("big", 2_000_000, (1000 / 60,) * 180, 2000.0)
HOLDS_60 = ("big", 1_100_000, (1000 / 58,) * 174, 600.0)
HOLDS_30 = ("little", 1_000_000, (1000 / 30,) * 90, 100.0)
STUTTERS = ("little", 800_000, (1000 / 30,) * 60 + (1000.0,), 80.0)
TOO_SLOW = ("little", 200_000, (100.0,) * 30, 15.0)


def record(cluster, freq_khz, gaps_ms, power_mw, page="shop/index.html", **given):
    """Return a record of one scroll of 3 s; ``given``: fields of the record, or of its figures."""
    figures = GestureFigures(
        kind="scroll", speed=1800.0, source="wheel", factor=1.0, window_s=3.0, refresh_hz=60.0,
        displayed_frames=len(gaps_ms), longest_gap_ms=max(gaps_ms), work_ms=WORK_MS,
        capacity=float(load_profile("exynos5422").capacity(cluster, freq_khz)),
    )  # fmt: skip
    own = {name: given.pop(name) for name in tuple(given) if name in GestureFigures.__dataclass_fields__}
    setting = Setting(cluster, freq_khz)
    energy = None
    if power_mw is not None:
        energy = EnergyReading(3 * power_mw, 3.0, len(gaps_ms), "emulated hwmon", "emulated")
    plain = Record(
        model=page, model_sha256="0" * 64, variant="scroll-1800", engine="chromium", precision="none",
        target=TARGET, provenance="emulated", setting=setting, setting_read=setting, control_level="sysfs",
        samples_ms=gaps_ms, first_frame_ms=None, warmup=0, power_mw=power_mw, energy_mj=None,
        energy_source="emulated: emulated hwmon; gross", temp_c=None, verdict="stable", reasons=(), block=0,
        seed=0, created_utc="2026-01-01T00:00:00+00:00", fps_target=60.0, energy=energy,
        gesture=replace(figures, **own),
    )  # fmt: skip
    return replace(plain, **given)


def write_folder(folder, records, *pages):
    """Write records, and what is known of pages, as `edgekit web` keeps them; return the folder."""
    for each in records:
        RecordLog(folder / "emulated-exynos5422.jsonl").append(each)
    if pages:
        write_pages(folder / PAGES_FILE, [KnownPage(name, None, features) for name, features in pages])
    return folder
