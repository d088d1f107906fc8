import sys

import numpy as np
import pytest
from PIL import Image

from edgekit.data import load_dataset
from edgekit.data.own.video import evenly_spread
from edgekit.tasks import Classification
from runtime.errors import DataError, MissingExtra


def frame(number):
    return Image.new("RGB", (24, 16), (10 * number, 0, 0))


def clips(root, count=3, n_frames=16):
    """Frames that grow lighter (up), and ones that grow darker."""
    for name, order in (("down", -1), ("up", 1)):
        for clip in range(count):
            folder = root / name / f"clip{clip}"
            folder.mkdir(parents=True)
            for number in range(n_frames)[::order]:
                at = number if order == 1 else n_frames - 1 - number
                frame(number).save(folder / f"{at:03}.png")
    return root


def load(root):
    return load_dataset("clip-folder", root=root, image_size=8)


def test_clips_are_eight_frames_in_their_order(tmp_path):
    data = load(clips(tmp_path))
    assert (len(data.train), len(data.test), data.frames, data.labels) == (4, 2, 8, ["down", "up"])
    inputs, labels = data.train.batch(range(4))
    assert inputs.shape == (4, 8, 3, 8, 8)
    rises = np.diff(inputs[:, :, 0].mean(axis=(2, 3)), axis=1)
    assert (np.sign(rises).mean(axis=1) == np.where(labels == 1, 1, -1)).all()


def test_frames_are_the_middles_of_equal_parts():
    assert evenly_spread(8, 16) == [1, 3, 5, 7, 9, 11, 13, 15]
    assert evenly_spread(8, 8) == list(range(8))
    assert evenly_spread(3, 100) == [16, 50, 83]


def test_a_classifier_of_pictures_refuses_clips(tmp_path):
    with pytest.raises(DataError, match="holds clips of 8 frames"):
        Classification().view(load(clips(tmp_path)))


def test_a_clip_that_is_too_short_is_told(tmp_path):
    with pytest.raises(DataError, match="has 5 frames; a clip needs 8"):
        load(clips(tmp_path, n_frames=5)).train.batch([0])


def test_a_class_without_clips_is_told(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with pytest.raises(DataError, match="leaves no clip for the train part"):
        load(tmp_path)


def test_without_pyav_the_line_that_installs_it_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(3):
            (tmp_path / name / f"{number}.mp4").write_bytes(b"")
    with pytest.raises(MissingExtra, match=r"av is not installed; run: pip install .*\[video\]"):
        load(tmp_path).train.batch([0])


def write_video(path, count, **options):
    av = pytest.importorskip("av")
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for number in range(count):
            pixels = np.full((32, 32, 3), 8 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def videos(root, **options):
    for name in ("a", "b"):
        (root / name).mkdir()
        for number in range(3):
            write_video(root / name / f"{number}.mp4", 24, **options)
    return root


def test_frames_of_videos_are_spread_over_them(tmp_path):
    inputs, _ = load(videos(tmp_path)).train.batch([0])
    light = inputs[0, :, 0].mean(axis=(1, 2)) * 0.229 + 0.485
    assert np.allclose(light * 255, [8 * number for number in evenly_spread(8, 24)], atol=4)


def test_a_video_that_ends_early_is_told(tmp_path):
    root = videos(tmp_path, movflags="faststart")  # what is where stands at the begin
    for path in root.rglob("*.mp4"):
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(DataError, match=r"ends early: of the 24 frames that it tells of the first \d+ can"):
        load(root).train.batch([0])


def test_what_is_no_video_is_told(tmp_path):
    root = videos(tmp_path)
    for path in root.rglob("*.mp4"):
        path.write_bytes(b"no video")
    with pytest.raises(DataError, match="is not a readable video"):
        load(root).train.batch([0])
