"""fit, tune and run from the command line, on virtual phones and with what users get wrong."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from runtime.bundle import Bundle
from runtime.choose.policy.policy import load_policy
from runtime.extras import install_line
from tests.runtime.phone import make_bundle

TARGET = "virtual:gs101"


def invoke(*arguments):
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def tuned_path(tmp_path_factory):
    """A bundle benched, fitted and tuned for 30 FPS on a virtual phone, as a user would."""
    path = make_bundle(tmp_path_factory.mktemp("commands")).path
    for words in (["bench"], ["fit"], ["tune", "--fps", "30"]):
        shown = invoke(words[0], path, "--target", TARGET, *words[1:])
        assert shown.exit_code == 0, shown.output
    return path


@pytest.fixture
def tuned(tuned_path, tmp_path):
    return shutil.copytree(tuned_path, tmp_path / "toy.edgekit")


def test_fit_shows_every_regressor_and_the_choice(tuned):
    shown = invoke("fit", tuned, "--target", TARGET)
    assert shown.exit_code == 0
    for name in ("linear", "quadratic", "svr", "random_forest", "gradient_boosting", "mlp"):
        assert name in shown.output
    assert shown.output.count("<- chosen") == 1
    assert "43 modelled records" in shown.output
    assert "Next: edgekit tune" in shown.output


def test_fit_json_is_the_result(tuned):
    result = json.loads(invoke("fit", tuned, "--target", TARGET, "--json").stdout)
    assert result["chosen"] == min(result["scores"], key=result["scores"].get)
    assert result["provenance"] == "modelled"


def test_fit_transfers_a_predictor_to_another_phone(tuned):
    shown = invoke("fit", tuned, "--target", "virtual:sm8250", "--from", TARGET, "--samples", "12")
    assert shown.exit_code == 0, shown.output
    assert f"Transferred from {TARGET} with 12 modelled settings" in shown.output
    assert shown.output.count("<- chosen") == 1
    assert invoke("tune", tuned, "--target", "virtual:sm8250", "--fps", "30").exit_code == 0


@pytest.mark.parametrize(
    "words", [("--samples", "12"), ("--from", TARGET, "--also", "x"), ("--from", TARGET, "--log", "x")]
)
def test_fit_learns_in_one_way_at_a_time(tuned, words):
    shown = invoke("fit", tuned, "--target", "virtual:sm8250", *words)
    assert shown.exit_code == 2
    assert "choose one of --also, --from and --log" in shown.output


def test_fit_refuses_a_log_that_is_none(tuned, tmp_path):
    (tmp_path / "log.jsonl").write_text("{}")
    shown = invoke("fit", tuned, "--target", TARGET, "--log", tmp_path / "log.jsonl")
    assert shown.exit_code == 1
    assert "is no log of a governed run" in shown.output


def test_tune_shows_winners_reason_and_comparison(tuned):
    shown = invoke("tune", tuned, "--target", TARGET, "--fps", "60")
    assert shown.exit_code == 0
    policy = load_policy(Bundle.open(tuned), TARGET)
    assert policy.fps_target == 60
    assert policy.reason in shown.output
    for name in ("this policy", "performance", "powersave", "schedutil", "exhaustive best"):
        assert name in shown.output
    assert shown.output.count("<- chosen") == 1
    assert "Latency: modelled" in shown.output


def test_tune_marks_who_misses_the_deadline(tuned, tmp_path):
    words = ["--target", TARGET, "--fps", "20", "--latency-ms", "4", "--plot", tmp_path / "plot.svg"]
    shown = invoke("tune", tuned, *words)
    assert shown.exit_code == 0, shown.output
    (schedutil,) = (line for line in shown.stdout.splitlines() if line.startswith("schedutil "))
    assert schedutil.endswith("misses 4 ms")
    assert " 100 % " in schedutil
    assert "EAS + schedutil misses the deadline of 4 ms in 240 of 240 frames." in shown.stdout
    assert "(late)" in (tmp_path / "plot.svg").read_text(encoding="utf-8")
    page = tmp_path / "report.html"
    assert invoke("report", tuned, "-o", page).exit_code == 0
    assert "misses the deadline" in page.read_text(encoding="utf-8")


def test_tune_draws_the_frontier(tuned, tmp_path):
    shown = invoke("tune", tuned, "--target", TARGET, "--plot", tmp_path / "plot.svg")
    assert shown.exit_code == 0, shown.output
    assert f"plot written: {tmp_path / 'plot.svg'}" in shown.stderr
    assert "exhaustive best" in (tmp_path / "plot.svg").read_text(encoding="utf-8")


def test_tune_takes_every_limit(tuned):
    words = ["--objective", "race-to-sleep", "--base-mw", "700", "--sleep-mw", "5", "--battery-mwh", "17700"]
    shown = invoke("tune", tuned, "--target", TARGET, *words, "--latency-ms", "20", "--max-power-mw", "900")
    assert shown.exit_code == 0, shown.output
    goal = load_policy(Bundle.open(tuned), TARGET).goal
    limits = (goal.deadline_ms, goal.max_power_mw, goal.base_mw, goal.sleep_mw)
    assert limits == (20.0, 900.0, 700.0, 5.0)
    assert "for the least energy from frame to frame" in shown.output
    assert "Battery: 17700 mWh (as given) last" in shown.output
    shown = invoke("tune", tuned, "--target", TARGET, "--mean-power-mw", "300", "--quantile", "0.95")
    assert "is the fastest within 10 mJ a frame" in shown.output
    assert "modelled latencies have no spread" in shown.output


def test_tune_json_is_the_policy(tuned):
    raw = json.loads(invoke("tune", tuned, "--target", TARGET, "--json").stdout)
    assert raw["goal"]["objective"] == "awake"
    assert raw["chosen"]["setting"]["cluster"] in ("little", "mid", "big")


def test_run_shows_setting_latency_energy_and_late_frames(tuned):
    shown = invoke("run", tuned, "--target", TARGET, "--frames", "20")
    assert shown.exit_code == 0
    policy = load_policy(Bundle.open(tuned), TARGET)
    assert f"Setting: {policy.setting} (read back: {policy.setting}; control: sysfs)" in shown.output
    assert "20 of litert-fp32 at 30 FPS, 0 late (deadline 33.3 ms)" in shown.output
    assert "(modelled)" in shown.output
    assert "mJ a frame (" in shown.output
    assert "schedutil" not in shown.output  # that table is tune's
    assert len(shown.output.splitlines()) <= 6


def test_run_keeps_the_deadline_that_was_tuned_for_or_another(tuned):
    assert invoke("tune", tuned, "--target", TARGET, "--fps", "20", "--latency-ms", "30").exit_code == 0
    assert "at 20 FPS, 0 late (deadline 30 ms)" in invoke("run", tuned, "--target", TARGET).output
    shown = invoke("run", tuned, "--target", TARGET, "--latency-ms", "0.01", "--frames", "7")
    assert "7 of litert-fp32 at 20 FPS, 7 late (deadline 0.01 ms)" in shown.output
    assert "Note:    the policy is for a deadline of 30 ms, it was 0.01." in shown.output
    result = json.loads(invoke("run", tuned, "--target", TARGET, "--json").output)
    assert (result["deadline_ms"], result["late_frames"]) == (30.0, 0)


def test_run_json_is_the_result(tuned):
    result = json.loads(invoke("run", tuned, "--target", TARGET, "--json").stdout)
    assert result["provenance"] == "modelled"
    assert result["late_frames"] == 0
    assert result["setting"] == result["setting_read"]


def test_running_a_tuned_bundle_needs_no_sklearn(tuned):
    code = (
        "import sys; sys.modules['sklearn'] = sys.modules['skops'] = sys.modules['torch'] = None\n"
        "from edgekit.cli import cli; cli(sys.argv[1:])"
    )
    words = [sys.executable, "-c", code, "run", str(tuned), "--target", TARGET]
    shown = subprocess.run(words, capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    assert "Setting: " in shown.stdout


def test_tuning_without_sklearn_names_the_extra(tuned):
    code = "import sys; sys.modules['sklearn'] = None\nfrom edgekit.cli import cli; cli(sys.argv[1:])"
    words = [sys.executable, "-c", code, "tune", str(tuned), "--target", TARGET, "--threads", "2"]
    shown = subprocess.run(words, capture_output=True, text=True, check=False)
    assert shown.returncode == 1
    assert install_line("predict") in shown.stderr


@pytest.mark.parametrize(
    ("words", "exit_code", "message"),
    [
        (["fit", "--target", "virtual:sdm845"], 1, "0 clocks of toy.edgekit were benched on virtual:sdm845"),
        (["tune", "--target", "virtual:sdm845"], 1, "no predictor for virtual:sdm845"),
        (["tune", "--target", TARGET, "--fps", "0"], 2, "allowed: fps above 0"),
        (["tune", "--target", TARGET, "--threads", "9"], 2, "threads"),
        (["tune", "--target", TARGET, "--objective", "race-to-sleep"], 2, "give it with --base-mw"),
        (["tune", "--target", TARGET, "--plot", "plot.jpeg"], 2, "end it with .png or .svg"),
        (["tune", "--target", TARGET, "--variant", "onnx-fp32"], 2, "unknown variant 'onnx-fp32'"),
        (["run", "--target", "virtual:sdm845"], 1, "no policy for virtual:sdm845; make one: edgekit tune"),
        (["run", "--target", "virtual:sdm84"], 2, "did you mean virtual:sdm845"),
        (["run", "--target", TARGET, "--input", "missing.png"], 1, "there is no image at missing.png"),
        (["run", "--target", TARGET, "--frames", "0"], 2, "0 is not in the range x>=1"),
    ],
)
def test_what_users_get_wrong_is_one_line(tuned, words, exit_code, message):
    shown = invoke(words[0], tuned, *words[1:])
    assert shown.exit_code == exit_code, shown.output
    assert message in shown.stderr
    assert "Traceback" not in shown.output
    assert len([line for line in shown.stderr.splitlines() if line.startswith("Error")]) == 1


def test_input_of_the_wrong_shape_is_a_usage_error(tuned, tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((1, 3, 9, 9)))
    shown = invoke("run", tuned, "--target", TARGET, "--input", tmp_path / "x.npy")
    assert shown.exit_code == 2
    assert "(1, 3, 9, 9); input 'x' is (1, 3, 8, 8)" in shown.stderr


def test_changed_byte_of_a_predictor_is_refused(tuned):
    file = tuned / "predictors" / "virtual-gs101.skops"
    data = bytearray(file.read_bytes())
    data[100] ^= 1
    file.write_bytes(data)
    shown = invoke("tune", tuned, "--target", TARGET)
    assert shown.exit_code == 1
    assert "does not match its sha256" in shown.stderr
