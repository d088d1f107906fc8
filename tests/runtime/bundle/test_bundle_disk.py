"""A full disk, or one that may not be written: an error with figures, and nothing half-written."""

import errno
import os
import subprocess

import pytest

from runtime.bundle import Bundle, Graph, Manifest, TensorSpec, Variant, new_bundle
from runtime.errors import BundleError

GRAPH = Graph((TensorSpec("x", "float32", (1, 3)),), (TensorSpec("y", "float32", (1, 2)),))
MANIFEST = Manifest(
    "toy", "2026-01-01T00:00:00Z", {"forward": GRAPH}, (Variant("litert-fp32", "litert", "fp32", "a.tflite"),)
)


def write(path, size_bytes):
    with new_bundle(path) as writer:
        writer.add("a.tflite", b"m" * size_bytes, "model")
        writer.finish(MANIFEST)
    return Bundle.open(path)


def tree(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.fixture
def full(monkeypatch):
    """Make the disk take so many more files, then none."""
    left = [0]

    def fsync(descriptor):
        if left[0] == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        left[0] -= 1

    def fill(after):
        left[0] = after
        monkeypatch.setattr(os, "fsync", fsync)

    return fill


@pytest.fixture
def small_disk(tmp_path):
    """Mount a disk of 64 kB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("after", [0, 1])  # the model, the manifest
def test_full_disk_leaves_no_part_of_a_new_bundle(tmp_path, full, after):
    full(after)
    with pytest.raises(
        BundleError, match=r"disk of .* is full: \d+ bytes are needed, \d+ are free; make room"
    ):
        write(tmp_path / "toy.edgekit", 100)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("after", [0, 1])  # the file, the manifest
def test_full_disk_leaves_the_old_bundle_when_a_file_is_added(tmp_path, full, after):
    bundle = write(tmp_path / "toy.edgekit", 100)
    before = tree(tmp_path)
    full(after)
    with pytest.raises(BundleError, match="is full: 7 bytes are needed"):
        bundle.add("a.tflite", b"changed", "model")
    assert tree(tmp_path) == before
    assert Bundle.open(bundle.path).file("a.tflite").read_bytes() == b"m" * 100


def test_really_full_disk(small_disk):
    with pytest.raises(BundleError, match="100000 bytes are needed, 65536 are free"):
        write(small_disk / "toy.edgekit", 100_000)
    assert list(small_disk.iterdir()) == []
    bundle = write(small_disk / "toy.edgekit", 30_000)
    before = tree(small_disk)
    with pytest.raises(BundleError, match="60000 bytes are needed"):
        bundle.add("b.tflite", b"m" * 60_000, "model")
    assert tree(small_disk) == before
    Bundle.open(bundle.path)


def test_folder_that_may_not_be_written_is_named(tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("runtime.bundle.staging.tempfile.mkdtemp", refuse)
    with pytest.raises(BundleError, match=r"cannot be written \(Permission denied\); choose another place"):
        write(tmp_path / "toy.edgekit", 100)
