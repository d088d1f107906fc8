"""``edgekit run`` on bundles with a flow: a parser and a melody, from picture or seed to files."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image, ImageDraw

from edgekit.cli import cli
from runtime.bundle import Bundle
from runtime.bundle.result import Notes
from runtime.flow.runner import FlowRunner
from tests.edgekit import flow_bundles
from tests.once import make_once

BOX = "50,30,210,220"
pytestmark = pytest.mark.slow  # six files are exported


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    def make(folder):
        flow_bundles.make_parser(folder)
        flow_bundles.make_melody(folder)

    return make_once(tmp_path_factory, "flow-bundles", make)


@pytest.fixture
def face(tmp_path):
    """A red face in the box, something green beside it."""
    picture = Image.new("RGB", (320, 240), (90, 90, 90))
    pen = ImageDraw.Draw(picture)
    pen.ellipse((60, 40, 200, 210), fill=(230, 40, 40))
    pen.rectangle((220, 60, 300, 160), fill=(30, 220, 30))
    picture.save(tmp_path / "face.png")
    return tmp_path / "face.png"


def run(*args):
    return CliRunner().invoke(cli, ["run", *map(str, args)])


@pytest.mark.parametrize("engine", ["executorch", "litert"])
def test_a_face_is_parsed_over_the_original(bundles, face, tmp_path, engine):
    names = [tmp_path / name for name in ("over.png", "m.mask.png", "m.json")]
    outs = [part for name in names for part in ("-o", name)]
    raw = tmp_path / "raw.npz"
    done = run(
        bundles / "parser.edgekit",
        "--input",
        face,
        "--box",
        BOX,
        *outs,
        "--raw",
        raw,
        "--variant",
        f"{engine}-fp32",
    )
    assert done.exit_code == 0, done.output
    assert "pre-step" in done.output
    labels = np.asarray(Image.open(names[1]))
    truth = np.asarray(Image.open(face)).astype(int)
    is_red = truth[..., 0] - truth[..., 1] > 100
    overlap = (is_red & (labels == 1)).sum() / (is_red | (labels == 1)).sum()
    assert overlap > 0.8  # of a map of 16 x 16
    assert np.asarray(Image.open(names[0]))[120, 130, 1] > 150  # yellow over red
    assert {one["class"] for one in json.loads(names[2].read_text())["classes"]} == {"rest", "red", "green"}
    with np.load(raw) as arrays:
        assert arrays["forward.scores"].shape == (1, 3, 16, 16)


def test_a_photograph_is_parsed_as_it_was_held(bundles, face, tmp_path):
    """The same picture, stored on its side with the note to turn it, has the same result."""
    picture = Image.open(face)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right to see it upright
    picture.rotate(90, expand=True).save(tmp_path / "turned.png", exif=exif)
    for name in ("face", "turned"):
        given = ("--input", tmp_path / f"{name}.png", "--box", BOX, "-o", tmp_path / f"{name}.mask.png")
        assert run(bundles / "parser.edgekit", *given).exit_code == 0
    upright, turned = (np.asarray(Image.open(tmp_path / f"{name}.mask.png")) for name in ("face", "turned"))
    np.testing.assert_array_equal(upright, turned)


def test_a_seed_gives_the_same_tune_on_both_engines_and_eagerly(bundles, tmp_path):
    for engine in ("executorch", "litert"):
        given = (
            "--seed",
            7,
            "--bars",
            64,
            "--variant",
            f"bar-{engine}-fp32",
            "--raw",
            tmp_path / f"{engine}.npz",
        )
        done = run(bundles / "tunes.edgekit", *given, "-o", tmp_path / f"{engine}.mid")
        assert done.exit_code == 0, done.output
    assert (tmp_path / "executorch.mid").read_bytes() == (tmp_path / "litert.mid").read_bytes()

    nets = flow_bundles.melody_nets()

    def eager(name, inputs):
        with torch.no_grad():
            return [output.numpy() for output in nets[name](*map(torch.from_numpy, inputs))]

    manifest = Bundle.open(bundles / "tunes.edgekit").manifest
    frame = FlowRunner(manifest.task.flow, manifest.graphs, eager).frame({}, count=64, seed=7)
    with np.load(tmp_path / "litert.npz") as arrays:
        assert tuple(arrays["token:note"]) == frame.draws["note"]
    assert len(frame.draws["note"]) == 64 * 16
    assert isinstance(manifest.task.result, Notes)
    other = run(bundles / "tunes.edgekit", "--seed", 8, "--bars", 64, "-o", tmp_path / "other.mid")
    assert other.exit_code == 0
    assert (tmp_path / "other.mid").read_bytes() != (tmp_path / "litert.mid").read_bytes()


WITHOUT_NUMPY = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("numpy", "PIL"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
from edgekit.cli import main

main()
"""


def test_outputs_are_saved_where_numpy_is_missing(bundles, tmp_path):
    given = np.random.default_rng(0).random((1, 3, flow_bundles.SIZE, flow_bundles.SIZE), dtype=np.float32)
    np.save(tmp_path / "in.npy", given)
    command = [sys.executable, "-c", WITHOUT_NUMPY, "run", str(bundles / "parser.edgekit")]
    args = ["--input", "in.npy", "--raw", "out.npz", "--variant", "executorch-fp32"]
    subprocess.run([*command, *args], cwd=tmp_path, check=True, timeout=120)
    with np.load(tmp_path / "out.npz") as arrays:
        expected = flow_bundles.Parser()(torch.from_numpy(given)).detach().numpy()
        np.testing.assert_allclose(arrays["forward.scores"], expected, atol=1e-5)
    args = ["--input", "in.npy", "-o", "out.png"]
    done = subprocess.run([*command, *args], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "numpy is not installed; run: pip install" in done.stderr


BAD = {
    "no box": (("--input", "face.png"), "give --box"),
    "box outside": (("--input", "face.png", "--box", "900,0,990,9"), "lies outside the picture"),
    "box without area": (("--input", "face.png", "--box", "9,9,9,40"), "has no area"),
    "no box at all": (("--input", "face.png", "--box", "a,b"), "is no box"),
    "no input": (("--box", BOX), "give --input"),
    "no such picture": (("--input", "none.png", "--box", BOX), "there is no image"),
    "an odd file": (("--input", "face.png", "--box", BOX, "-o", "x.wav"), "end it in one of"),
    "a count of nothing": (("--input", "face.png", "--box", BOX, "--bars", "3"), "leave the count out"),
    "a reference for nothing": (
        ("--input", "face.png", "--box", BOX, "--reference", "face.png"),
        "no reference",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_done_is_said_and_nothing_is_left(bundles, face, monkeypatch, case):
    args, message = BAD[case]
    monkeypatch.chdir(face.parent)
    done = run(bundles / "parser.edgekit", *args)
    assert done.exit_code in (1, 2)
    assert message in done.output
    assert isinstance(done.exception, SystemExit)
    assert [path.name for path in face.parent.iterdir()] == ["face.png"]


@pytest.mark.parametrize("bars", [0, 65])
def test_a_tune_beyond_the_limit_is_refused(bundles, bars):
    done = run(bundles / "tunes.edgekit", "--bars", bars)
    assert done.exit_code != 0
    assert "makes 1 to 64" in done.output


def test_a_box_for_nothing_is_refused(bundles):
    done = run(bundles / "tunes.edgekit", "--bars", 2, "--box", BOX)
    assert done.exit_code != 0
    assert "leave the box out" in done.output


def benched(bundle, *args):
    done = CliRunner().invoke(cli, ["bench", str(bundle), "--blocks", "1", "--json", *args])
    assert done.exit_code == 0, done.output
    records = json.loads(done.stdout)
    return {record["variant"]: record for record in records}


def test_a_bench_times_the_parser_from_the_picture_to_the_mask(bundles, tmp_path):
    record = benched(bundles / "parser.edgekit", "--out", str(tmp_path / "log"), "--engine", "litert")[
        "flow:litert-fp32"
    ]
    assert [part["name"] for part in record["flow"]["parts"]] == ["pre-step", "forward", "post-step"]
    assert all(part["provenance"] == "measured" for part in record["flow"]["parts"])
    together_ms = sum(part["latency_ms"] for part in record["flow"]["parts"])
    assert together_ms == pytest.approx(record["latency_ms"], rel=0.3)
    assert record["flow"]["parts"][1]["latency_ms"] < record["latency_ms"]


def test_a_tune_is_benched_tuned_for_and_run_bar_by_bar(bundles, tmp_path):
    tunes = tmp_path / "t.edgekit"
    shutil.copytree(bundles / "tunes.edgekit", tunes)
    record = benched(tunes, "--runs", "5")["flow:executorch-fp32"]
    runs = {part["name"]: part["runs"] for part in record["flow"]["parts"]}
    assert runs == {"pre-step": 1, "bar": 1, "beat": 4, "note": 16, "post-step": 1}
    phone = ("--target", "virtual:gs101")
    benched(tunes, *phone)
    tuned = CliRunner().invoke(cli, ["tune", str(tunes), *phone, "--fps", "10"])
    assert tuned.exit_code == 0, tuned.output
    played = run(tunes, *phone, "--bars", 4, "--json")
    assert played.exit_code == 0, played.output
    result = json.loads(played.stdout)
    assert (result["steps"], result["fps_target"], result["deadline_ms"]) == (64, 2.5, 400.0)
    assert result["late_frames"] == 0
    (policy,) = (tunes / "policies").glob("*.json")
    bar_ms = json.loads(policy.read_text())["chosen"]["latency_ms"]
    assert result["latency_ms"] == pytest.approx(4 * bar_ms, rel=0.1)
    shown = CliRunner().invoke(cli, ["report", str(tunes), "-o", str(tmp_path / "r.html")])
    assert shown.exit_code == 0, shown.output
    assert "one of its bars, without pre-step and post-step" in (tmp_path / "r.html").read_text()
