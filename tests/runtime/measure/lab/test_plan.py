import pytest

from runtime.errors import DataError
from runtime.measure.lab import load_plan
from runtime.measure.lab.plan import BundleSpec, SettingsSpec, TargetSpec

pytest.importorskip("yaml", reason="pip install -e '.[lab]'")

FULL = """\
targets:
  - local
  - name: adb:R5CT1234
    runners: {litert: ./benchmark_model, executorch: "device:/data/local/tmp/runner"}
    settings: {threads: [1, 4], clusters: [big], every: 2}
bundles: [mbv2.edgekit, {path: nets/other.tflite, input_shapes: {audio: [1, 16000]}}]
engines: [litert]
settings: {threads: [2], freqs_khz: [1000000]}
bench: {runs: 10, warmup: 0, blocks: 5, seed: 3, fps: 30, max_temp_c: 45}
retry: {attempts: 2, backoff_s: 1, max_backoff_s: 60}
goal_fps: 30
out: results
"""


def plan(tmp_path, text):
    path = tmp_path / "nightly.yaml"
    path.write_text(text)
    return load_plan(path)


def test_a_full_plan(tmp_path):
    read = plan(tmp_path, FULL)
    assert read.target_specs == (
        TargetSpec("local"),
        TargetSpec(
            "adb:R5CT1234",
            SettingsSpec((1, 4), ("big",), (), 2),
            None,
            {"litert": str(tmp_path / "benchmark_model"), "executorch": "device:/data/local/tmp/runner"},
        ),
    )
    assert read.bundle_specs == (
        BundleSpec(str(tmp_path / "mbv2.edgekit")),
        BundleSpec(str(tmp_path / "nets/other.tflite"), {"audio": (1, 16000)}),
    )
    assert (read.bench.blocks, read.bench.fps, read.retry.attempts) == (5, 30.0, 2)
    assert read.out == str(tmp_path / "results")


def test_defaults(tmp_path):
    read = plan(tmp_path, "targets: [local]\nbundles: [a.tflite]\n")
    assert (read.bench.runs, read.bench.blocks, read.settings.threads, read.goal_fps) == (30, 3, (1,), None)
    assert read.out == str(tmp_path / "nightly-results")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("engines:", "engine:"), "unknown field `engine`.*top level keys are: targets, bundles"),
        (("runs: 10", "run: 10"), r"unknown field `run` - at `\$.bench`"),
        (("runs: 10", "runs: 0"), r"Expected `int` >= 1 - at `\$.bench.runs`"),
        (("runs: 10", "runs: ten"), r"Expected `int`, got `str` - at `\$.bench.runs`"),
        (("clusters: [big]", "cluster: big"), r"unknown field `cluster` - at `\$.targets\[1\].settings`"),
        (("litert: ./", "tflite: ./"), "unknown runner 'tflite'"),
        (("fps: 30", "fps: -1"), r"\$.bench.fps"),
        (("blocks: 5", f"blocks: {10**40}"), r"\$.bench.blocks|Integer"),
        (("targets:", "goals:"), "missing required field `targets`|unknown field `goals`"),
        (("  - local", "  - lokal"), "unknown target 'lokal'; did you mean local"),
        (("  - local", "  - 'adb:'"), "unknown target 'adb:'; known: local, virtual:"),
        (("  - local", "  - adb:R5CT1234"), "has target 'adb:R5CT1234' twice"),
        (("mbv2.edgekit, {path: nets/other.tflite,", "a, {path: ./a,"), "has bundle .* twice"),
        (("goal_fps: 30", "goal_fps: 30\ngoal_fps: 60"), "has the key 'goal_fps' twice"),
        (("out: results", "out: [results"), "not valid YAML"),
        (("out: results", "out: !!python/name:os.system"), "not valid YAML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, change, message):
    assert change[0] in FULL
    with pytest.raises(DataError, match=message):
        plan(tmp_path, FULL.replace(*change, 1))


@pytest.mark.parametrize("text", ["", "42", "- a\n- b\n", "\x00"])
def test_what_is_no_plan_at_all(tmp_path, text):
    with pytest.raises(DataError, match=r"nightly\.yaml is not"):
        plan(tmp_path, text)
    with pytest.raises(DataError, match="cannot read the plan"):
        load_plan(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: &a [1]\ntargets: [*a]\nbundles: [x]\n", "has aliases"),
        ("targets: [local]\nbundles: [" + "x, " * 400_000 + "]\n", "at most 1048576 are read"),
        ("targets: [!!python/object/apply:os.getpid []]\nbundles: [x]\n", "is not valid YAML"),
        ("targets: " + "[" * 5000, "is not valid YAML"),
        ("? [1, 2]\n: 3\n", "is not valid YAML"),
    ],
)
def test_a_plan_that_stands_for_more_than_it_holds_is_refused(text, problem, tmp_path):
    (tmp_path / "plan.yaml").write_text(text)
    with pytest.raises(DataError, match=problem):
        load_plan(tmp_path / "plan.yaml")
