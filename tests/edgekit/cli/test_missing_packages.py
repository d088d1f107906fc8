"""Without its extras every command says in one line what to install."""

import os
import shutil
import subprocess
import sys

import pytest

from runtime.bundle import Graph, Manifest, TensorSpec, Variant, new_bundle
from tests.places import DATA, ROOT
from tests.runtime.fake_device import hide_packages

HIDDEN = (
    *("PIL", "ai_edge_litert", "ai_edge_quantizer", "devlib", "executorch", "font_lato", "jinja2", "joblib"),
    *("lightning_fabric", "litert_torch", "markupsafe", "numpy", "paramiko", "ray", "resvg_py", "scipy"),
    *("safetensors", "sklearn", "skops", "torch", "torch_pruning", "torchao", "tqdm", "yaml"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A bundle, a lab's plan and a model file of the user."""
    folder = tmp_path_factory.mktemp("bare")
    hide_packages(folder, HIDDEN)
    x, y = TensorSpec("x", "float32", (1, 3, 8, 8)), TensorSpec("y", "float32", (1, 4, 8, 8))
    with new_bundle(folder / "b.edgekit") as writer:
        files = [
            writer.add(f"m.{end}", (DATA / "sum.pte").read_bytes(), "model") for end in ("pte", "tflite")
        ]
        variants = (Variant("executorch-fp32", "executorch", "fp32", files[0]),)
        variants += (Variant("litert-fp32", "litert", "fp32", files[1]),)
        writer.finish(Manifest("b", "2026-01-01T00:00:00Z", {"forward": Graph((x,), (y,))}, variants))
    (folder / "mine.py").write_text("import torch\n")
    (folder / "plan.yaml").write_text("targets: [local]\n")
    shutil.copy(ROOT / "docs/report.png", folder / "photo.png")
    return folder


def run(folder, line):
    variables = {"PYTHONPATH": f"{folder / 'site'}{os.pathsep}{ROOT}", "EDGEKIT_EXECUTORCH": "python"}
    return subprocess.run(
        [sys.executable, "-m", "edgekit", *line.split()],
        cwd=folder, env=os.environ | variables, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


EXPORT = "executorch,litert-export"


@pytest.mark.parametrize(
    ("line", "package", "extra"),
    [
        ("models", "torch", "train"),
        ("tasks", "torch", "train"),
        ("data digits", "numpy", "train"),
        ("train mobilenet_v2 --data digits -o out", "torch", "train"),
        ("prune checkpoint -o out", "numpy", "train"),
        ("place mobilenet_v2 --dynamic-budget 10%", "torch", "train"),
        ("export mobilenet_v2", "torch", EXPORT),
        ("export mine.py:make", "torch", EXPORT),
        ("parity b.edgekit --model mobilenet_v2", "torch", EXPORT),
        ("bench b.edgekit --variant litert-fp32", "ai_edge_litert", "litert"),
        ("bench b.edgekit --target ssh:board", "devlib", "lab"),
        ("push b.edgekit --target ssh:board", "devlib", "lab"),
        ("compare b.edgekit b.edgekit", "numpy", "predict"),
        ("lab run plan.yaml", "yaml", "lab"),
        ("fit b.edgekit", "numpy", "predict"),
        ("tune b.edgekit --fps 30", "numpy", "predict"),
        ("report b.edgekit", "numpy", "predict,report"),
        ("plot b.edgekit", "numpy", "predict,report"),
    ],
)
def test_a_missing_package_is_one_line(folder, line, package, extra):
    done = run(folder, line)
    *before, last = done.stderr.strip().splitlines()
    assert (done.returncode, last) == (
        1,
        f"Error: {package} is not installed; run: pip install -e '{ROOT}[{extra}]'",
    )
    assert not [other for other in before if "Traceback" in other or "Error" in other]


@pytest.mark.parametrize("line", ["--help", "targets", "inspect b.edgekit", "restore", "completion bash"])
def test_what_needs_none_works(folder, line):
    done = run(folder, line)
    assert done.returncode == 0, done.stderr
