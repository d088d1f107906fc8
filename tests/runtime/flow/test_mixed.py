"""A flow whose graphs differ in engine or precision, asked for by name."""

import json

import msgspec
import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from runtime.bundle import Bundle, Graph, Manifest, TensorSpec, Variant, new_bundle
from runtime.bundle.workload import Op, Workload
from runtime.flow.frames import as_frames, files_of, names_in, sha256_of
from runtime.flow.opening import open_session
from runtime.targets import open_target
from tests.runtime.small_flow import FLOW, ROW, TASK, make_flow

INT8 = "dynamic_wi8_afp32"
MIX = f"note=litert-{INT8},bar=litert-fp32"
WHOLE_MIX = f"flow:bar=litert-fp32,note=litert-{INT8}"


def test_a_mix_is_a_variant_of_its_own_whatever_order_it_is_named_in(tmp_path):
    bundle = make_flow(tmp_path)
    frames = as_frames(bundle, [MIX])
    assert names_in(frames, [MIX]) == [WHOLE_MIX]
    assert [variant.name for variant in frames.manifest.variants] == [
        "flow:litert-fp32",
        f"flow:litert-{INT8}",
        WHOLE_MIX,
    ]
    files = files_of(bundle, FLOW, MIX)
    assert {graph: variant.precision for graph, variant in files.items()} == {"bar": "fp32", "note": INT8}
    assert files == files_of(bundle, FLOW, WHOLE_MIX)
    hashes = {sha256_of(bundle, name) for name in ("flow:litert-fp32", MIX, "note-litert-fp32")}
    assert len(hashes) == 3
    assert sha256_of(bundle, WHOLE_MIX) == sha256_of(bundle, MIX) is not None
    assert sha256_of(bundle, "flow:executorch-fp32") is None


def test_graphs_that_are_not_named_follow_the_first_and_one_kind_is_the_plain_flow(tmp_path):
    bundle = make_flow(tmp_path)
    named = f"note=litert-{INT8}"
    assert {variant.precision for variant in files_of(bundle, FLOW, named).values()} == {INT8}
    frames = as_frames(bundle, [named])
    assert names_in(frames, [named]) == [f"flow:litert-{INT8}"]
    assert len(frames.manifest.variants) == 2


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("beat=litert-fp32", "its graphs are bar, note"),
        ("bar=executorch-fp32", f"it has litert-fp32, litert-{INT8}"),
        ("bar=litert-fp32,bar-litert-" + INT8, "are both of graph 'bar'"),
        ("bar=litert-fp32,tune", "unknown variant 'tune'"),
    ],
)
def test_a_mix_that_cannot_be_is_told_by_every_command(tmp_path, name, message):
    bundle = make_flow(tmp_path)
    with pytest.raises(ValueError, match=message):
        as_frames(bundle, [name])
    for command in ("bench", "run", "profile"):
        shown = CliRunner().invoke(cli, [command, str(bundle.path), "--variant", name])
        assert shown.exit_code == 2, shown.output
        assert message in " ".join(shown.output.split())


def test_a_mix_is_benched_tuned_for_and_run(tmp_path):
    bundle = make_flow(tmp_path)
    path = str(bundle.path)
    given = ("--variant", MIX, "--json")
    benched = CliRunner().invoke(cli, ["bench", path, *given, "--runs", "3", "--blocks", "1"])
    assert benched.exit_code == 0, benched.output
    (record,) = json.loads(benched.stdout)
    assert (record["variant"], record["model_sha256"]) == (WHOLE_MIX, sha256_of(bundle, MIX))
    tuned = CliRunner().invoke(cli, ["tune", path, *given, "--fps", "1"])
    assert tuned.exit_code == 0, tuned.output
    assert json.loads(tuned.stdout)["chosen"]["variant"] == WHOLE_MIX
    told = CliRunner().invoke(cli, ["tune", path, *given[:2], "--fps", "1"])
    assert f"Next: edgekit run {path} --target local --seed 7" in told.output  # it takes no picture
    ran = CliRunner().invoke(cli, ["run", path, "--bars", "1", "--json"])  # the policy says which files
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout)["variants"] == {"bar": "bar-litert-fp32", "note": f"note-litert-{INT8}"}


def test_each_part_of_a_modelled_mix_has_its_own_precision(tmp_path):
    """Without that a mix would be as slow as its first graph is."""
    cost = Workload((Op("conv", "conv2d", 50_000_000, 100_000, 100_000),))
    graph = Graph((TensorSpec("x", "float32", ROW),), (TensorSpec("y", "float32", ROW),))
    with new_bundle(tmp_path / "t.edgekit") as writer:
        variants = []
        for name in ("bar", "note"):
            for precision in ("fp32", "static_wi8_ai8"):
                path = writer.add(f"{name}-{precision}", f"{name}{precision}".encode(), "model")
                table = writer.add(f"{name}-{precision}.json", msgspec.json.encode(cost), "workload")
                kind = f"{name}-litert-{precision}"
                variants.append(Variant(kind, "litert", precision, path, name, table, export="one"))
        writer.finish(Manifest("t", "2026-01-01", {"bar": graph, "note": graph}, tuple(variants), task=TASK))
    bundle = Bundle.open(tmp_path / "t.edgekit")
    target = open_target("virtual:gs101")
    mix = "flow:bar=litert-fp32,note=litert-static_wi8_ai8"
    frames = as_frames(bundle, [mix])
    setting = target.settings(clusters=["big"])[-1]

    def latency_ms(name):
        with open_session(target, frames, frames.manifest.variant(name), setting) as session:
            return session.sample(warmup=0, runs=1).samples_ms[0]

    exact, int8 = (latency_ms(f"flow:litert-{one}") for one in ("fp32", "static_wi8_ai8"))
    assert int8 < 0.8 * exact
    assert latency_ms(mix) == pytest.approx(exact / 5 + int8 * 4 / 5, rel=0.05)  # one bar, four notes
