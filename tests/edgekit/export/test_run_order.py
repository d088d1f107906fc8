from edgekit.export.run_order import in_run_order
from runtime.bundle.workload import Op, Workload


def workload(*ops):
    return Workload(tuple(Op(name, kind, 1, 1, 1) for name, kind in ops))


def names(ops):
    return [op.name for op in ops.ops]


def test_a_side_branch_moves_to_the_delegate_that_runs_it():
    traced = workload(("first", "conv2d"), ("sum", "other"), ("last", "depthwise_conv2d"), ("side", "linear"))
    runs = [("first", "convolution"), ("side", "addmm"), ("sum", "cumsum"), ("last", "convolution")]
    assert names(in_run_order(traced, runs)) == ["first", "side", "sum", "last"]


def test_an_op_that_was_fused_or_split_stays_behind_the_one_before_it():
    m = ("m", "elementwise")
    traced = workload(("a", "conv2d"), m, ("b", "conv2d"), m, ("c", "conv2d"))
    runs = [("b", "convolution"), ("m", "mul"), ("m", "add_copy"), ("m", "mul"), ("a", "convolution"),
            ("c", "convolution")]  # fmt: skip
    assert names(in_run_order(traced, runs)) == ["b", "m", "a", "m", "c"]


def test_a_chain_stays_as_it_is():
    traced = workload(("a", "conv2d"), ("", "elementwise"), ("b", "linear"), ("", "elementwise"))
    runs = [("a", "convolution"), ("", "mul"), ("b", "linear"), ("", "add")]
    assert in_run_order(traced, runs) == traced
