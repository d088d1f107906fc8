"""``edgekit run`` on bundles with a flow: a parser and a melody, from picture or seed to files."""

import json

import numpy as np
import pytest
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
    import torch

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
