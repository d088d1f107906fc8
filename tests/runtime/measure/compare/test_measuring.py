"""Two bundles measured side by side."""

import pytest

from runtime.device.setting import Setting
from runtime.engines.model_file import open_bundle_or_model
from runtime.measure.bench import BenchPlan
from runtime.measure.compare import compare, measure_both, shared_variants
from runtime.measure.records import RecordLog
from runtime.targets import VirtualTarget
from tests.runtime.measure.fake_target import Fake
from tests.runtime.phone import make_bundle

SETTINGS = [Setting("cpu", 1000), Setting("cpu", 2000)]


@pytest.fixture
def logs(tmp_path):
    return RecordLog(tmp_path / "a.jsonl"), RecordLog(tmp_path / "b.jsonl")


def test_sides_stand_next_to_each_other_in_every_block(tmp_path, logs, tflite):
    a, b = make_bundle(tmp_path), open_bundle_or_model(tflite)
    target = Fake()
    found = measure_both(
        a,
        b,
        target,
        variants=[("litert-fp32", "litert-fp32")],
        settings=SETTINGS,
        plan=BenchPlan(blocks=4),
        logs=logs,
    )
    assert [len(side) for side in found] == [8, 8]
    assert [list(log) for log in logs] == list(found)
    assert target.visits[::2] == target.visits[1::2]
    assert {record.model for record in found[0]} == {"toy"}
    differences = compare(*found)
    assert [(d.verdict, d.reasons) for d in differences] == [("no difference", ("4 pairs of blocks",))] * 2


def test_a_bundle_against_itself(tflite, logs):
    bundle = open_bundle_or_model(tflite)
    variants = shared_variants(bundle, bundle)
    plan = BenchPlan(blocks=3)
    a, b = measure_both(bundle, bundle, Fake(), variants=variants, settings=SETTINGS, plan=plan, logs=logs)
    assert [d.blocks for d in compare(a, b)] == [(3, 3)] * 2


def test_a_virtual_phone_needs_one_block(tflite, logs):
    bundle, target = open_bundle_or_model(tflite), VirtualTarget("gs101")
    settings = target.settings()[:2]
    variants = shared_variants(bundle, bundle)
    a, b = measure_both(
        bundle, bundle, target, variants=variants, settings=settings, plan=BenchPlan(), logs=logs
    )
    assert [(d.verdict, d.blocks) for d in compare(a, b)] == [("no difference", (1, 1))] * 2


def test_which_variants_are_compared(tmp_path):
    for name in "abc":
        (tmp_path / name).mkdir()
    a = make_bundle(tmp_path / "a", variants=("litert-fp32", "executorch-fp32"))
    b = make_bundle(tmp_path / "b", variants=("executorch-fp32", "executorch-dynamic_wi8_afp32"))
    assert shared_variants(a, b) == [("executorch-fp32", "executorch-fp32")]
    assert shared_variants(a, b, "litert-fp32", "executorch-fp32") == [("litert-fp32", "executorch-fp32")]
    with pytest.raises(ValueError, match="unknown variant 'litert-fp32'"):
        shared_variants(a, b, "litert-fp32")
    alone = make_bundle(tmp_path / "c", variants=("litert-fp32",))
    with pytest.raises(ValueError, match="none is in both"):
        shared_variants(alone, b)
