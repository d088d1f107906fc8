"""What one frame of a flow is: which graphs run how often, under which name and hash."""

import msgspec
import pytest

from runtime.bundle import Bundle, Graph, ImageSpec, Manifest, TensorSpec, Variant, new_bundle
from runtime.bundle.flow import Flow, FlowGraph, Stop, Token
from runtime.bundle.prestep import ResizeCrop, TanhWarp
from runtime.bundle.result import Labels, Mask, Notes
from runtime.bundle.task import TaskSpec
from runtime.bundle.workload import Op, Workload
from runtime.flow.frames import as_frames, files_of, frame_stop, frames_in, runs_of
from runtime.measure.bench import bench
from runtime.measure.records import RecordLog
from runtime.targets import open_target

BAR = FlowGraph("bar", "step", {"last": "token:bar"}, token=Token("bar", "y"), every=16)
NOTE = FlowGraph("note", "step", {"last": "token:note"}, token=Token("note", "y"))
TUNES = Flow((BAR, NOTE), stop=Stop(1024, count="bars", steps_per_count=16, default_count=8))
MELODY = TaskSpec("melody", TUNES, Notes("note", lowest=60, pitches=2))
ROW = TensorSpec("last", "float32", (1, 4))
STEPS = {
    "bar": Graph((ROW,), (TensorSpec("y", "float32", (1, 4)),)),
    "note": Graph((ROW,), (TensorSpec("y", "float32", (1, 4)),)),
}
MACS = {"bar": 5_000_000, "note": 1_000_000}


def write(folder, kinds, task=MELODY, graphs=STEPS, export="one"):
    """Return a bundle whose files are no models; what they cost is known."""
    with new_bundle(folder / "b.edgekit") as writer:
        variants = []
        for graph, engine in kinds:
            ops = Workload((Op("fc", "linear", MACS.get(graph, 1), 64, 64),))
            path = writer.add(f"{graph}-{engine}", f"{graph} {engine} {export}".encode(), "model")
            table = writer.add(f"{graph}-{engine}.json", msgspec.json.encode(ops), "workload")
            name = f"{graph}-{engine}-fp32"
            variants.append(Variant(name, engine, "fp32", path, graph, table, export=export))
        writer.finish(Manifest("b", "2026-01-01", graphs, tuple(variants), task=task))
    return Bundle.open(folder / "b.edgekit")


BOTH = [(graph, engine) for engine in ("litert", "executorch") for graph in STEPS]


def test_a_frame_of_a_tune_is_a_bar_of_every_graph(tmp_path):
    frames = as_frames(write(tmp_path, BOTH))
    assert [variant.name for variant in frames.manifest.variants] == [
        "flow:litert-fp32",
        "flow:executorch-fp32",
    ]
    assert (
        frames.workload(frames.manifest.variant("flow:litert-fp32")).macs == MACS["bar"] + 16 * MACS["note"]
    )


def test_an_engine_without_a_file_of_each_graph_offers_no_frame(tmp_path):
    frames = as_frames(write(tmp_path, BOTH[:3]))
    assert [variant.name for variant in frames.manifest.variants] == ["flow:litert-fp32"]
    (tmp_path / "torn").mkdir()
    torn = write(tmp_path / "torn", [BOTH[0], BOTH[3]])
    with pytest.raises(ValueError, match="export all graphs for one engine"):
        as_frames(torn)


def test_the_hash_of_a_frame_is_that_of_the_flow_and_all_its_files(tmp_path):
    hashes = set()
    slower = replace_stop(MELODY, steps_per_count=32)
    for name, task, export in (("a", MELODY, "one"), ("b", MELODY, "two"), ("c", slower, "one")):
        (tmp_path / name).mkdir()
        frames = as_frames(write(tmp_path / name, BOTH, task, export=export))
        hashes.add(frames.sha256(frames.manifest.variants[0].path))
        hashes |= {entry.sha256 for entry in frames.manifest.files if entry.path == "note-litert"}
    assert len(hashes) == 3 + 2


def replace_stop(task, **changes):
    stop = msgspec.structs.replace(task.flow.stop, **changes)
    return msgspec.structs.replace(task, flow=msgspec.structs.replace(task.flow, stop=stop))


@pytest.mark.parametrize("has_task", [True, False])
def test_a_classifier_stays_as_it_is(tmp_path, has_task):
    image = ImageSpec(size=8, resize=8, mean=(0.5,) * 3, std=(0.5,) * 3)
    graphs = {
        "forward": Graph(
            (TensorSpec("x", "float32", image.shape, image),), (TensorSpec("y", "float32", (1, 3)),)
        )
    }
    flow = Flow((FlowGraph("forward", inputs={"x": "pre:image"}),), pre=ResizeCrop())
    task = TaskSpec("classification", flow, Labels("forward.y")) if has_task else None
    bundle = write(tmp_path, [("forward", "litert")], task, graphs)
    assert as_frames(bundle) is bundle


def test_a_parser_of_one_graph_has_a_frame_of_its_own(tmp_path):
    image = ImageSpec(size=8, resize=8, mean=(0.5,) * 3, std=(0.5,) * 3)
    x, y = TensorSpec("x", "float32", image.shape, image), TensorSpec("y", "float32", (1, 2, 4, 4))
    flow = Flow((FlowGraph("forward", inputs={"x": "pre:image"}),), pre=TanhWarp())
    result = Mask("forward.y", ("rest", "face"), palette=((0, 0, 0), (255, 0, 0)))
    bundle = write(
        tmp_path, [("forward", "litert")], TaskSpec("p", flow, result), {"forward": Graph((x,), (y,))}
    )
    (variant,) = as_frames(bundle).manifest.variants
    assert variant.name == "flow:litert-fp32"
    assert dict(files_of(bundle, flow, variant.name)) == {"forward": bundle.manifest.variant()}


def test_steps_without_a_count_make_a_cycle_and_those_of_a_picture_all():
    slow = msgspec.structs.replace(NOTE, every=6)
    four = msgspec.structs.replace(BAR, every=4)
    ends = Stop(100, token="note", value=3)
    cycle = frame_stop(Flow((four, slow), stop=ends))
    assert (cycle.most_steps, cycle.token) == (12, None)
    assert [runs_of(use, cycle) for use in (four, slow)] == [3, 2]
    captioner = Flow((FlowGraph("see"), NOTE), stop=ends)
    assert (frame_stop(captioner).most_steps, frame_stop(captioner).token) == (100, "note")
    assert frames_in(captioner, None) == 1
    assert frames_in(TUNES, 4) == 4
    assert frames_in(TUNES, None) == 8


def test_a_modelled_frame_takes_what_its_parts_do_together(tmp_path):
    frames = as_frames(write(tmp_path, BOTH))
    target = open_target("virtual:gs101")
    log = RecordLog(tmp_path / "log.jsonl")
    records = bench(frames, target, settings=target.settings(clusters=["big"])[:1], log=log)
    assert len(records) == 2
    for record in [*records, *log]:
        assert [(part.name, part.runs) for part in record.flow.parts] == [("bar", 1), ("note", 16)]
        assert sum(part.latency_ms for part in record.flow.parts) == pytest.approx(
            record.latency_ms, rel=0.02
        )
        assert "one of its bars" in record.flow.frame
        assert "without pre-step" in record.flow.frame


def test_records_without_parts_are_still_read(tmp_path):
    frames = as_frames(write(tmp_path, BOTH))
    target = open_target("virtual:gs101")
    log = RecordLog(tmp_path / "log.jsonl")
    bench(frames, target, settings=target.settings(clusters=["big"])[:1], log=log)
    line = msgspec.json.decode(log.path.read_bytes().splitlines()[0])
    del line["flow"]
    log.path.write_bytes(msgspec.json.encode(line))
    assert [record.flow for record in log] == [None]
