import numpy as np
import pytest
import torch
from torch import nn

from edgekit.export import Origin, export_bundle
from edgekit.tasks import SourceGraph
from runtime.bundle import Bundle, ImageSpec, TensorSpec
from runtime.engines import EngineProcess
from runtime.errors import DelegationError, ExportError, ParityError
from runtime.measure.bench import bench
from runtime.measure.records import RecordLog
from runtime.targets import choose_settings, open_target
from tests.edgekit.export.quantize import nets

IMAGE = ImageSpec(8, 8, (0.5,) * 3, (0.5,) * 3)


class Tiny(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.act = nn.ReLU()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        return self.head(self.pool(self.act(self.conv(x))).flatten(1))


class Grey(nn.Module):
    """One channel and global pooling in the middle, as dynamic blocks have."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, padding=1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        x = self.conv(x)
        return self.head((x * self.pool(x)).mean((2, 3), keepdim=True).flatten(1))


class Summing(Tiny):
    """Adds its scores up: no delegate takes that."""

    def forward(self, x):
        return torch.cumsum(super().forward(x), dim=1)


def origin(model):
    torch.manual_seed(0)
    inputs = np.random.default_rng(0).standard_normal((3, 3, 8, 8)).astype(np.float32)
    return Origin.of_images("tiny-net", model.eval(), IMAGE, (), inputs, "random inputs", {})


def fp32_variants(bundle):
    return [bundle.manifest.variant(f"{engine}-fp32") for engine in ("executorch", "litert")]


def test_bundle_holds_a_checked_file_per_engine(small_net):
    bundle = small_net.bundle
    executorch, litert = fp32_variants(bundle)
    assert (executorch.path, litert.path) == ("smallnet_xnnpack_fp32.pte", "smallnet_xnnpack_fp32.tflite")
    assert bundle.file(executorch.path).read_bytes()[4:8] == b"ET12"
    assert bundle.file(litert.path).read_bytes()[4:8] == b"TFL3"
    for variant in (executorch, litert):
        assert variant.delegation.partitions == 1
        assert variant.delegation.delegated == variant.delegation.total > 0
        assert variant.parity.max_abs <= 1e-5
        assert variant.parity.n_inputs == 8
        assert variant.parity.top1_agreement == 1.0


def test_files_give_the_eager_scores_to_whoever_loads_them(small_net):
    graph = small_net.origin.graphs["forward"]
    expected = graph.model(*graph.example()).detach().numpy()
    for variant in fp32_variants(small_net.bundle):
        with EngineProcess(variant.engine, small_net.bundle.file(variant.path)) as model:
            np.testing.assert_allclose(model.run(graph.frames[0]).outputs[0], expected, atol=1e-5)


def test_manifest_tells_inputs_labels_origin_and_tools(small_net):
    manifest = small_net.bundle.manifest
    (image,) = manifest.graphs["forward"].inputs
    (scores,) = manifest.graphs["forward"].outputs
    assert (image.dtype, image.shape, image.image) == ("float32", (1, 3, 16, 16), nets.IMAGE)
    assert (scores.dtype, scores.shape) == ("float32", (1, 4))
    assert small_net.bundle.labels() == ["class 0", "class 1", "class 2", "class 3"]
    assert manifest.source["pruning"] == {"rate": 0.3}
    assert manifest.source["checkpoint"] == {"sha256": "ab"}
    assert {"edgekit", "python", "torch", "executorch", "litert-torch", "ai-edge-litert"} <= set(
        manifest.toolchain
    )


def test_workload_counts_what_a_frame_multiplies(small_net):
    for variant in fp32_variants(small_net.bundle):
        macs = {(op.name, op.kind): op.macs for op in small_net.bundle.workload(variant).ops}
        assert macs["stem.conv", "conv2d"] == 8 * 8 * 8 * 3 * 9
        assert macs["depthwise.conv", "depthwise_conv2d"] == 8 * 8 * 24 * 9
        assert macs["project.conv", "conv2d"] == 8 * 8 * 24 * 8
        assert macs["linear", "linear"] == 8 * 4


def test_op_outside_the_delegate_fails_and_leaves_nothing(tmp_path):
    with pytest.raises(DelegationError, match=r"executorch-fp32: .* --allow-fallback aten\.cumsum") as failed:
        export_bundle(origin(Summing()), tmp_path / "summing.edgekit")
    assert failed.value.exit_code == 3
    assert list(tmp_path.iterdir()) == []


def test_op_that_is_allowed_outside_is_recorded(tmp_path):
    with pytest.raises(DelegationError) as failed:
        export_bundle(origin(Summing()), tmp_path / "summing.edgekit", engines=["executorch"])
    ops = []
    while True:  # as a user does: accept what the error names, one by one
        ops.append(str(failed.value).rpartition("--allow-fallback ")[2])
        try:
            bundle = export_bundle(
                origin(Summing()), tmp_path / "summing.edgekit", engines=["executorch"], allow_fallback=ops
            )
            break
        except DelegationError as err:
            failed.value = err
            assert len(ops) < 5
    (variant,) = bundle.manifest.variants
    assert {op.op for op in variant.delegation.fallback} == set(ops)
    assert all(op.allowed and op.reason for op in variant.delegation.fallback)
    assert all(
        0 < op.latency_share < 1 for op in Bundle.open(bundle.path).manifest.variant().delegation.fallback
    )


def test_grey_images_with_ambiguous_strides_stay_in_the_delegate(tmp_path):
    pixels = np.random.default_rng(0).random((3, 8, 8, 1), dtype=np.float32)
    inputs = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))  # as the data loader makes them
    assert inputs.strides[1] == inputs.itemsize  # which could be channels-last
    grey = Origin.of_images(
        "grey", Grey().eval(), ImageSpec(8, 8, (0.5,), (0.5,), 1), (), inputs, "noise", {}
    )
    bundle = export_bundle(grey, tmp_path / "grey.edgekit", engines=["executorch"])
    (variant,) = bundle.manifest.variants
    assert (variant.delegation.partitions, variant.delegation.fallback) == (1, ())


def test_numbers_beyond_the_tolerance_fail_and_leave_nothing(tmp_path):
    with pytest.raises(ParityError, match="raise --tolerance"):
        export_bundle(origin(Tiny()), tmp_path / "tiny.edgekit", engines=["litert"], tolerance=1e-12)
    assert list(tmp_path.iterdir()) == []


def test_weights_with_nan_name_the_parameter(tmp_path):
    model = Tiny()
    with torch.no_grad():
        model.head.weight[0, 0] = float("nan")
    with pytest.raises(ExportError, match=r"head\.weight"):
        export_bundle(origin(model), tmp_path / "tiny.edgekit")


def test_input_of_another_shape_is_refused(tmp_path):
    wrong = Origin.of_images(
        "tiny", Tiny(), IMAGE, (), np.zeros((1, 2, 8, 8), np.float32), "two channels", {}
    )
    with pytest.raises(ExportError, match=r"\(1, 2, 8, 8\)"):
        export_bundle(wrong, tmp_path / "tiny.edgekit")


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"engines": ["litter"]}, "did you mean litert"),
        ({"engines": []}, "executorch, litert"),
        ({"precisions": ["fp8"]}, "'fp8'.*fp32"),
    ],
)
def test_unknown_engine_or_precision_names_what_there_is(tmp_path, choice, message):
    with pytest.raises(ValueError, match=message):
        export_bundle(origin(Tiny()), tmp_path / "tiny.edgekit", **choice)


class Pair(nn.Module):
    """Two inputs, two outputs, in an order that a mix-up would show."""

    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Linear(4, 3), nn.Linear(2, 3)

    def forward(self, a, b):
        left, right = self.left(a), self.right(b)
        return left * 3 + right, [left - right]


@pytest.fixture(scope="module")
def two_graphs(tmp_path_factory):
    torch.manual_seed(0)
    rng = np.random.default_rng(0)

    def graph(model, **shapes):
        frames = tuple(
            tuple(rng.standard_normal(s).astype(np.float32) for s in shapes.values()) for _ in range(2)
        )
        specs = tuple(TensorSpec(name, "float32", shape) for name, shape in shapes.items())
        return SourceGraph(model, specs, frames, "noise")

    graphs = {"encode": graph(nn.Linear(6, 4), x=(1, 6)), "decode": graph(Pair(), a=(1, 4), b=(1, 2))}
    return export_bundle(Origin("duo", graphs, (), {}), tmp_path_factory.mktemp("duo") / "duo.edgekit")


def test_each_graph_has_a_file_per_engine(two_graphs):
    assert [(v.name, v.path, v.graph) for v in two_graphs.manifest.variants] == [
        ("encode-executorch-fp32", "duo-encode_xnnpack_fp32.pte", "encode"),
        ("encode-litert-fp32", "duo-encode_xnnpack_fp32.tflite", "encode"),
        ("decode-executorch-fp32", "duo-decode_xnnpack_fp32.pte", "decode"),
        ("decode-litert-fp32", "duo-decode_xnnpack_fp32.tflite", "decode"),
    ]


def test_every_output_is_compared_in_its_place(two_graphs):
    manifest = two_graphs.manifest
    assert [spec.name for spec in manifest.graphs["decode"].outputs] == ["output0", "output1"]
    for variant in manifest.variants:
        assert len(variant.parity.outputs) == len(manifest.graphs[variant.graph].outputs)
        for output in variant.parity.outputs:
            assert output.max_abs <= 1e-5
            assert output.cosine == pytest.approx(1.0)


def test_several_graphs_can_be_timed(two_graphs, tmp_path):
    records = bench(
        two_graphs, open_target("local"), settings=choose_settings(open_target("local"), (1,), (), (), 1)[:1],
        variants=[v.name for v in two_graphs.manifest.variants], log=RecordLog(tmp_path / "log.jsonl"),
        runs=1, warmup=0, blocks=1,
    )  # fmt: skip
    assert len({record.variant for record in records}) == 4
