"""What is no plain file is neither waited for nor replaced, and figures from no machine are refused."""

import io
import os
import zipfile

import numpy as np
import pytest

from runtime.bundle import Bundle, TensorSpec, write_atomic
from runtime.device.soc import load_profile
from runtime.errors import BundleError, DataError
from runtime.measure.frame_log import GovernedLog, Header, read_log
from runtime.measure.records import RecordLog
from runtime.processing.inputs import load_frame
from tests.runtime.phone import make_bundle

SPECS = [TensorSpec("x", "float32", (1, 2)), TensorSpec("y", "float32", (1, 2))]
HEAD = 'name = "x"\ntitle = "X"\nboard = "b"\n[[clusters]]\nname = "c"\ncore = "cortex-a55"\ncpus = [0]\n'


def test_a_pipe_in_a_bundle_is_refused_and_not_waited_for(tmp_path):
    bundle = make_bundle(tmp_path)
    os.mkfifo(bundle.path / "records.jsonl")
    with pytest.raises(BundleError, match=r"records\.jsonl in toy\.edgekit is a pipe, socket or device"):
        Bundle.open(bundle.path)


def test_a_file_never_replaces_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="is there and is no file; choose another place"):
        write_atomic(tmp_path / "pipe", b"x")
    assert (tmp_path / "pipe").is_fifo()
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def npy(change=lambda data: data):
    out = io.BytesIO()
    np.save(out, np.ones((1, 2), np.float32))
    return change(out.getvalue())


ARRAYS = {
    "terabytes": npy(lambda data: data.replace(b"(1, 2)", b"(9999999999999,)", 1)),
    "no tuple": npy(lambda data: data.replace(b"(1, 2)", b"(((((", 1)),
    "dtype": npy(lambda data: data.replace(b"<f4", b"<Zq", 1)),
    "cut": npy(lambda data: data[:-3]),
    "header": npy(lambda data: data[:20]),
    "version": npy(lambda data: data[:6] + b"\x09\x09" + data[8:]),
}


@pytest.mark.parametrize("data", ARRAYS.values(), ids=ARRAYS)
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_damaged_arrays_are_one_error_of_ours(data, suffix, tmp_path):
    path = tmp_path / f"a{suffix}"
    if suffix == ".npz":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x.npy", data)
    else:
        path.write_bytes(data)
    with pytest.raises(DataError, match=r"is not a \.np[yz] a"):
        load_frame(path, SPECS[:1] if suffix == ".npy" else SPECS)


def test_damaged_compression_and_pipes_are_one_error_of_ours(tmp_path):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, x=np.arange(5000.0))
    data = bytearray(path.read_bytes())
    data[200:260] = b"\xff" * 60
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"is not a \.npz archive"):
        load_frame(path, SPECS)
    os.mkfifo(tmp_path / "b.npy")
    with pytest.raises(DataError, match="is no regular file"):
        load_frame(tmp_path / "b.npy", SPECS[:1])


@pytest.mark.parametrize(
    "rows",
    [
        "power_source = 'x'\n[[clusters.opps]]\nfreq_khz = 100\npower_mw = inf\n",
        "power_source = 'x'\n[[clusters.opps]]\nfreq_khz = 100\npower_mw = nan\n",
        f"[[clusters.opps]]\nfreq_khz = 1{'0' * 400}\n",
        f"power_source = 'x'\n[[clusters.opps]]\nfreq_khz = 100\npower_mw = 1{'0' * 400}\n",
        "opps = [" + ", ".join(f"{{freq_khz = {khz}}}" for khz in range(1, 60_001)) + "]\n",
    ],
    ids=["inf", "nan", "clock", "power", "many"],
)
def test_figures_from_no_machine_are_refused(rows, tmp_path):
    (tmp_path / "soc.toml").write_text(HEAD + rows)
    with pytest.raises(DataError, match="is not a SoC profile") as error:
        load_profile(tmp_path / "soc.toml")
    assert len(str(error.value)) < 700


def test_a_yaml_bomb_is_refused(tmp_path):
    pytest.importorskip("yaml")
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    (tmp_path / "soc.yaml").write_text("\n".join(lines) + "\nclusters: [*a11]\n")
    with pytest.raises(DataError, match="has aliases"):
        load_profile(tmp_path / "soc.yaml")


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_a_log_is_never_a_pipe_a_device_or_a_folder(kind, tmp_path):
    path = tmp_path / "log.jsonl"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        try:
            os.mknod(path, 0o20666, os.makedev(1, 3))
        except PermissionError:
            pytest.skip("only root makes devices")
    before = path.lstat()
    log = RecordLog(path)
    for use in (
        lambda: list(log),
        lambda: log.append(None),
        lambda: log.alone().__enter__(),
        lambda: read_log(path),
        lambda: GovernedLog(path, Header("local", "measured", 30.0, 33.3)),
    ):
        with pytest.raises(DataError, match="is no regular file; give another"):
            use()
    assert path.lstat().st_ino == before.st_ino  # and is still there


def test_an_archive_of_something_else_than_arrays_is_one_error_of_ours(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x", b"text")
        archive.writestr("y.npy", npy())
    with pytest.raises(DataError, match="holds 'x', which is no array"):
        load_frame(tmp_path / "a.npz", SPECS)
