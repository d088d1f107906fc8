"""Nets that we did not write, from packages of the registry; each is skipped where its package is absent."""

import importlib.util
from pathlib import Path

import pytest

from edgekit.export import EXPORT_BACKENDS, export_bundle, find_origin
from edgekit.export.preflight import prepare
from runtime.errors import DelegationError, ExportError

pytestmark = pytest.mark.slow
FILE = Path(__file__).with_name("third_party.py")


def bring(function, package):
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"pip install --target FOLDER --no-deps {package}, and put FOLDER on PYTHONPATH")
    return find_origin(f"{FILE}:{function}")


@pytest.mark.parametrize("engine", ["executorch", "litert"])
def test_an_image_net_exports_whole(engine, tmp_path):
    origin = bring("efficientnet_lite", "efficientnet_lite_pytorch")
    bundle = export_bundle(origin, tmp_path / "net.edgekit", engines=[engine])
    (variant,) = bundle.manifest.variants
    assert variant.delegation.fallback == ()
    assert variant.parity.max_abs <= variant.parity.tolerance


@pytest.mark.parametrize(
    ("engine", "reason"),
    [
        ("executorch", r"aten\.split_with_sizes_copy\.default .*here in features\.stage1\.unit2"),
        ("litert", r"PADV2 .*here in features\.init_block\.pool"),  # its max pool rounds up
    ],
)
def test_ops_that_leave_the_delegate_are_named_with_their_module(engine, reason, tmp_path):
    with pytest.raises(DelegationError, match=reason):
        export_bundle(bring("shufflenet", "pytorchcv"), tmp_path / "net.edgekit", engines=[engine])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("engine", ["executorch", "litert"])
def test_a_recurrent_net_with_state_exports_once_its_ops_are_allowed(engine, tmp_path):
    origin = bring("silero", "silero_vad")
    with pytest.raises(DelegationError, match="fall off the fast delegate"):
        export_bundle(origin, tmp_path / "vad.edgekit", engines=[engine])
    ready = prepare(origin.graphs["forward"])
    left = EXPORT_BACKENDS.get(engine)(ready.lowered, ready.example, ready.program).delegation.fallback
    bundle = export_bundle(
        origin, tmp_path / "vad.edgekit", engines=[engine], allow_fallback={op.op for op in left}
    )
    assert [spec.name for spec in bundle.manifest.graphs["forward"].inputs] == ["sound", "state"]
    speech, state = bundle.manifest.variant().parity.outputs
    assert max(speech.max_abs, state.max_abs) <= 1e-4


def test_torchscript_of_a_package_is_refused_at_once():
    origin = bring("silero_torchscript", "silero_vad")
    with pytest.raises(
        ExportError, match="TorchScript, which cannot be traced again; give its Python module"
    ):
        prepare(origin.graphs["forward"])
