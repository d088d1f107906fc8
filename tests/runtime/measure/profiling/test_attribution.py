from runtime.bundle import FallbackOp
from runtime.bundle.workload import Op
from runtime.engines import OpEvent
from runtime.measure.profiling.attribution import attribute, pair_fallback


def event(name, delegate=None, index=None):
    return OpEvent(name, delegate, 0, 1, "test", index)


def op(name, kind, macs=1):
    return Op(name, kind, macs, 2, 3)


CONV, LINEAR = "Convolution (NHWC, F32) IGEMM", "Fully Connected (NC, F32) GEMM"


def test_ops_outside_are_paired_by_name_and_order():
    fallback = [FallbackOp(f"aten.{name}.default", path, "") for name, path in
                [("cumsum", "a"), ("view_copy", "b"), ("cumsum", "c")]]  # fmt: skip
    names = ["cumsum.out", "executorch_prim::et_view.default", "cumsum.out", "topk.values"]
    assert pair_fallback(names, fallback) == [0, 1, 2, None]


def test_litert_tells_exactly_which_op_ran_outside_and_what_each_delegate_runs():
    # The second partition runs op 1, which stands before op 2 in the file: a branch.
    ops = [op("stem", "conv2d", 7), op("side", "linear"), op("sum", "other"), op("head", "conv2d", 9)]
    events = [event(CONV, 0), event("CUMSUM", None, 2), event(LINEAR, 1), event(CONV, 1)]
    found = attribute(events, ops, indices=(0, 1, 2, 3), partitions=((0,), (1, 3)))
    assert [one.module_path for one in found] == ["stem", "sum", "side", "head"]
    assert [one.macs for one in found] == [7, 1, 1, 9]
    assert {one.bytes_moved for one in found} == {5}


def test_executorch_finds_ops_outside_in_the_delegation():
    ops = [op("stem", "conv2d"), op("running", "other", 4), op("head", "linear")]
    fallback = (FallbackOp("aten.cumsum.default", "running", "why"),)
    found = attribute([event(CONV, 0), event("cumsum.out"), event(LINEAR, 1)], ops, fallback=fallback)
    assert [(one.kind, one.module_path) for one in found] == [
        ("conv2d", "stem"), ("other", "running"), ("linear", "head"),
    ]  # fmt: skip
    assert found[1].macs == 4


def test_an_op_outside_is_not_given_to_what_the_engine_added():
    ops = [op("(model)", "elementwise"), op("(model)", "other", 4), op("stem", "conv2d")]
    fallback = (FallbackOp("aten.cumsum.default", "(model)", "why"),)
    events = [event("Add (ND)", 0), event("cumsum.out"), event("Transpose (ND, X32)", 1), event(CONV, 1)]
    found = attribute(events, ops, fallback=fallback)
    assert [one.module_path for one in found] == ["(model)", "(model)", None, "stem"]
    assert found[1].macs == 4


def test_without_a_workload_only_the_kinds_are_known():
    found = attribute([event(CONV, 0), event("cumsum.out")], [])
    assert [(one.kind, one.module_path, one.macs) for one in found] == [
        ("conv2d", None, None), ("other", None, None),
    ]  # fmt: skip
