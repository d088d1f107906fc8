"""Serving frames under a policy."""

import time
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from runtime.bundle import Graph, TensorSpec
from runtime.choose.tuning.request import PolicyRequest
from runtime.choose.tuning.tune import tune_bundle
from runtime.device.setting import Setting
from runtime.device.soc import modelled_latency_ms
from runtime.errors import DataError, NotFittedError
from runtime.govern.run.run import policy_or_none, run_bundle
from tests.runtime.phone import WORKLOAD, Phone, Session, make_bundle, make_records


@pytest.fixture
def tuned(tmp_path):
    """A bundle with a policy for 30 FPS, and its virtual phone."""
    bundle, target = make_bundle(tmp_path), Phone()
    bundle, policy = tune_bundle(bundle, target, 30, records=make_records(bundle, target))
    return bundle, target, policy


@pytest.fixture
def photo(tmp_path):
    """A green picture: its second channel is the brightest, and that is a dog."""
    Image.new("RGB", (8, 8), (0, 200, 100)).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_photo_is_named_at_the_policys_setting(tuned, photo):
    bundle, target, policy = tuned
    result = run_bundle(bundle, target, inputs=[photo], policy=policy, frames=60)
    (prediction,) = result.predictions
    assert [guess.label for guess in prediction.guesses] == ["dog", "owl", "cat"]
    assert sum(guess.probability for guess in prediction.guesses) == pytest.approx(1)
    assert result.setting == result.setting_read == policy.setting
    assert (result.frames, result.late_frames, result.fps_target) == (60, 0, 30)
    assert (result.control_level, result.provenance) == ("sysfs", "modelled")
    assert result.comparison == policy.comparison


def test_figures_are_those_of_the_setting(tuned):
    bundle, target, policy = tuned
    result = run_bundle(bundle, target, policy=policy)
    latency_ms = modelled_latency_ms(WORKLOAD, target.profile, policy.setting)
    assert result.latency_ms == result.p90_ms == pytest.approx(latency_ms)
    assert result.power_mw == target.power(policy.setting).power_mw
    assert result.energy_mj == pytest.approx(result.power_mw * latency_ms / 1000)
    assert result.energy_source == "table of the test"
    assert result.predictions == ()


def test_session_is_closed_and_warmed_up(tuned, photo):
    bundle, target, policy = tuned
    run_bundle(bundle, target, inputs=[photo, photo], policy=policy, frames=1)
    assert target.restored == len(target.sessions) == 1
    assert target.sessions[0].seen == ["warmed up", "shown", "shown"]  # a frame per input at least


def test_pace_that_is_too_fast_makes_frames_late(tuned):
    bundle, target, policy = tuned
    latency_ms = modelled_latency_ms(WORKLOAD, target.profile, policy.setting)
    too_fast = 1000 / (0.9 * latency_ms)
    result = run_bundle(bundle, target, policy=policy, fps=too_fast, frames=20)
    assert result.late_frames == 20
    assert any(note.startswith("the policy is for 30 FPS") for note in result.notes)


def test_late_frames_catch_up():
    """One frame of 25 ms at 50 FPS, then 10 ms each: the first ends at 25 of 20, the second at 35 of 40."""

    class Uneven(Session):
        def sample(self, *, warmup, runs):
            self.latency_ms = 10.0 if self.seen else 25.0
            return super().sample(warmup=warmup, runs=runs)

    ran = Uneven(None, 0.0).run_paced([], 5, 50)
    assert ran.latencies_ms == (25.0, 10.0, 10.0, 10.0, 10.0)
    assert ran.done_ms == (25.0, 15.0, 10.0, 10.0, 10.0)
    assert [ran.late_frames(deadline_ms) for deadline_ms in (20.0, 12.0, 10.0, 9.0, None)] == [1, 2, 2, 5, 0]


def test_a_frame_is_late_by_its_deadline_however_long_the_period(tmp_path):
    bundle, target = make_bundle(tmp_path), Phone()
    request = PolicyRequest(fps=20, latency_ms=9)
    bundle, policy = tune_bundle(bundle, target, request, records=make_records(bundle, target))
    latency_ms = modelled_latency_ms(WORKLOAD, target.profile, policy.setting)

    def ran(**asked):
        result = run_bundle(bundle, target, policy=policy, frames=20, **asked)
        return result.deadline_ms, result.late_frames

    assert ran() == ran(fps=10) == ran(latency_ms=9) == (9, 0)
    too_short_ms = 0.9 * latency_ms
    assert ran(latency_ms=too_short_ms) == (too_short_ms, 20)
    assert ran(fps=1000 / too_short_ms, latency_ms=9) == (pytest.approx(too_short_ms), 20)
    assert ran(fps=10, latency_ms=500) == (100, 0)
    slower = replace(policy, chosen=replace(policy.chosen, setting=Setting("little", 900_000)))
    result = run_bundle(bundle, target, policy=slower, frames=20)
    assert 9 < result.latency_ms < 50
    assert (result.late_frames, result.frames) == (20, 20)


def test_without_a_pace_a_frame_arrives_when_the_one_before_is_done(tmp_path):
    bundle, target = make_bundle(tmp_path), Phone("local", "measured", knows_power=False)
    assert run_bundle(bundle, target, frames=3, latency_ms=1e-9).late_frames == 3
    assert run_bundle(bundle, target, frames=3, latency_ms=60_000).late_frames == 0


def test_real_target_is_paced_in_real_time(tuned):
    bundle, _, policy = tuned
    target = Phone("local", "measured")
    begin = time.monotonic()
    result = run_bundle(bundle, target, policy=policy, fps=100, frames=11)
    assert 0.1 <= time.monotonic() - begin < 10.0
    assert result.provenance == "measured"


def test_real_target_without_policy_runs_at_the_kernels_clock(tmp_path):
    bundle, target = make_bundle(tmp_path), Phone("local", "measured", knows_power=False)
    assert policy_or_none(bundle, target) is None
    result = run_bundle(bundle, target, frames=2)
    assert result.setting == Setting("big", None, 1)
    assert result.reason == "No policy: the kernel chooses the clock."
    assert (result.energy_mj, result.energy_source) == (None, "no meter on this machine")
    assert (result.fps_target, result.late_frames) == (None, 0)


def test_virtual_target_without_policy_says_what_to_run(tmp_path):
    bundle, target = make_bundle(tmp_path), Phone()
    with pytest.raises(NotFittedError, match="edgekit tune"):
        policy_or_none(bundle, target)
    with pytest.raises(NotFittedError, match="edgekit tune"):
        run_bundle(bundle, target)


def test_policy_of_the_bundle_is_found(tuned):
    bundle, target, policy = tuned
    assert policy_or_none(bundle, target) == policy


def test_other_clock_than_asked_is_noted(tuned):
    bundle, target, policy = tuned

    class Throttled(Session):
        @property
        def setting_read(self):
            return Setting("big", 700_000)

        @setting_read.setter
        def setting_read(self, value):
            pass

    def session(bundle, variant, setting):
        import contextlib

        return contextlib.nullcontext(Throttled(setting, 5.0))

    target.session = session
    result = run_bundle(bundle, target, policy=policy)
    assert f"asked for {policy.setting}, the machine ran big @ 700 MHz x1" in result.notes


def test_other_variant_than_the_policys_is_noted(tmp_path):
    bundle, target = make_bundle(tmp_path, variants=("litert-fp32", "executorch-fp32")), Phone()
    records = make_records(bundle, target, variants=["litert-fp32"])
    bundle, policy = tune_bundle(bundle, target, 30, records=records)
    result = run_bundle(bundle, target, policy=policy, variant="executorch-fp32")
    assert (result.variant, result.engine) == ("executorch-fp32", "executorch")
    assert "the policy is for litert-fp32, executorch-fp32 was run" in result.notes


def test_array_is_served_as_it_is(tuned, tmp_path):
    bundle, target, policy = tuned
    array = np.zeros((1, 3, 8, 8), dtype=np.float32)
    array[0, 2] = 9.0
    np.save(tmp_path / "x.npy", array)
    result = run_bundle(bundle, target, inputs=[tmp_path / "x.npy"], policy=policy, k=1)
    assert [guess.label for guess in result.predictions[0].guesses] == ["owl"]


def test_bad_input_is_refused_before_anything_runs(tuned, tmp_path):
    bundle, target, policy = tuned
    np.save(tmp_path / "x.npy", np.zeros((1, 3, 9, 9)))
    with pytest.raises(ValueError, match=r"\(1, 3, 9, 9\).*\(1, 3, 8, 8\)"):
        run_bundle(bundle, target, inputs=[tmp_path / "x.npy"], policy=policy)
    with pytest.raises(DataError, match="no image at"):
        run_bundle(bundle, target, inputs=[tmp_path / "gone.png"], policy=policy)
    assert target.sessions == []


def test_network_with_two_inputs_takes_no_files(tuned, photo):
    bundle, target, policy = tuned
    tensor = TensorSpec("x", "float32", (1,))
    bundle.manifest.graphs["forward"] = Graph((tensor, tensor), (tensor,))
    with pytest.raises(ValueError, match="has 2 inputs"):
        run_bundle(bundle, target, inputs=[photo], policy=policy)


@pytest.mark.parametrize("arguments", [{"frames": 0}, {"fps": 0}, {"fps": 5000}])
def test_arguments_out_of_range_are_refused(tuned, arguments):
    bundle, target, policy = tuned
    with pytest.raises(ValueError, match="allowed: frames from 1"):
        run_bundle(bundle, target, policy=policy, **arguments)
    with pytest.raises(ValueError, match="latency_ms is 0; it must be above 0"):
        run_bundle(bundle, target, policy=policy, latency_ms=0)
