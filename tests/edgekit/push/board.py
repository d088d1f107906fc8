"""A board behind a real sshd with Python and nothing else, a bundle for it, and the commands for both."""

import contextlib
import os
import subprocess

from click.testing import CliRunner

from edgekit.cli import cli
from runtime.bundle import Graph, Manifest, TensorSpec, Variant, new_bundle
from tests.places import DATA
from tests.runtime.sshd import start_sshd, stop
from tests.runtime.tflite_builder import write_doubling_conv


def invoke(*words):
    result = CliRunner().invoke(cli, words)
    assert "Traceback" not in result.output, result.output
    return result


def succeed(*words):
    result = invoke(*words)
    assert result.exit_code == 0, result.output
    return result


def write_bundle(folder, *engines):
    """Write a bundle with a small model for each engine."""
    pte = (DATA / "sum.pte").read_bytes()
    files = {"litert": write_doubling_conv(folder / "double.tflite").read_bytes(), "executorch": pte}
    x, y = TensorSpec("x", "float32", (1, 3, 8, 8)), TensorSpec("y", "float32", (1, 4, 8, 8))
    if engines == ("litert",):
        x = y = TensorSpec("x", "float32", (1, 8, 8, 4))
    with new_bundle(folder / "small.edgekit") as writer:
        variants = []
        for engine in engines:
            file = writer.add(f"model/{engine}", files[engine], "model")
            variants.append(Variant(f"{engine}-fp32", engine, "fp32", file))
        labels = writer.add("labels.txt", b"a\nb\n", "labels")
        graphs = {"forward": Graph((x,), (y,))}
        writer.finish(Manifest("small", "2026-01-01T00:00:00Z", graphs, tuple(variants), labels=labels))
    return folder / "small.edgekit"


@contextlib.contextmanager
def bare(folder, monkeypatch, variables=None):
    phone = start_sshd(folder, with_runtime=False, variables=variables)
    monkeypatch.setenv("EDGEKIT_SSH_CONFIG", str(phone.config))
    try:
        yield phone
    finally:
        stop(phone)


def run_there(phone, *words):
    """Run the device's own edgekit, which sees nothing of this tree."""
    variables = {"PATH": os.environ["PATH"], "HOME": str(phone.folder), "EDGEKIT_ROOT": str(phone.root)}
    return subprocess.run(
        [phone.home / "bin/edgekit", *words], env=variables, capture_output=True, text=True, timeout=300
    )
