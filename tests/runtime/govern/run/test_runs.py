"""The last run on each target is kept and read back."""

from dataclasses import replace

import pytest

from runtime.bundle import Bundle, Manifest
from runtime.device.setting import Setting
from runtime.errors import BundleError, DataError
from runtime.govern.run.run import Prediction, RunResult
from runtime.govern.run.runs import load_run, run_path, save_run
from runtime.processing.classify import Guess

RESULT = RunResult(
    bundle="toy",
    target="virtual:gs101",
    provenance="modelled",
    variant="litert-fp32",
    engine="litert",
    setting=Setting("big", 1_277_000),
    setting_read=None,
    control_level="sysfs",
    fps_target=30.0,
    frames=60,
    late_frames=1,
    latency_ms=28.9,
    p90_ms=29.0,
    power_mw=None,
    energy_mj=None,
    energy_source="no power is known",
    predictions=(Prediction("cat.png", (Guess("cat", 0.9),)),),
    reason="cheapest",
    comparison=(),
    notes=(),
)


@pytest.fixture
def bundle(tmp_path):
    return Bundle(tmp_path, Manifest("toy", "", {}, ()))


def test_last_run_is_read_back(bundle):
    assert load_run(bundle, RESULT.target) is None
    save_run(bundle, RESULT)
    save_run(bundle, replace(RESULT, frames=61))
    assert load_run(bundle, RESULT.target) == replace(RESULT, frames=61)
    assert load_run(bundle, "local") is None


def test_damaged_run_is_refused(bundle):
    save_run(bundle, RESULT).write_text("{}")
    with pytest.raises(BundleError, match=r"virtual-gs101\.json does not fit its schema"):
        load_run(bundle, RESULT.target)


def test_folder_that_cannot_be_written_is_told(bundle):
    run_path(bundle, RESULT.target).parent.write_text("a file in the way")
    with pytest.raises(DataError, match="cannot be written"):
        save_run(bundle, RESULT)
