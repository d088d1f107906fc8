"""Records of gestures, made up."""

from runtime.device.setting import Setting
from runtime.measure.gesture_figures import GestureFigures
from runtime.measure.records import Record


def figures(fps=50.0, window_s=5.0, **given):
    values = {
        "kind": "scroll", "speed": 1800.0, "source": "wheel", "factor": 1.0, "window_s": window_s,
        "refresh_hz": 60.0, "displayed_frames": round(fps * window_s), "longest_gap_ms": 40.0,
        "work_ms": {"main": 1.0, "viz": 1.5}, "capacity": 512.0,
    }  # fmt: skip
    return GestureFigures(**values | given)


BIG = Setting("big", 1_000_000)


def record(page="a", setting=BIG, fps=50.0, power_mw=300.0, **given):
    values = {
        "model": page, "model_sha256": "0" * 64, "variant": "scroll-1800", "engine": "chromium",
        "precision": "none", "target": "emulated:exynos5422", "provenance": "emulated", "setting": setting,
        "setting_read": setting, "control_level": "sysfs", "samples_ms": (20.0,), "first_frame_ms": None,
        "warmup": 0, "power_mw": power_mw, "energy_mj": None, "energy_source": "emulated: table",
        "temp_c": None, "verdict": "stable", "reasons": (), "block": 0, "seed": 0,
        "created_utc": "2026-11-28T00:00:00+00:00", "versions": {"engine": "Chrome/156", "kernel": "6.1"},
        "device": {"name": "host"}, "gesture": figures(fps),
    }  # fmt: skip
    return Record(**values | given)
