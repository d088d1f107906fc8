import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.engines.programs import parse_op_csv
from runtime.errors import DataError

CSV = """\
Profiling Info for Benchmark Initialization:
============================== Run Order ==============================
node type, first, avg_ms, %, cdf%, mem KB, times called, name
ModifyGraphWithDelegate, 6.348, 6.348, 55.64%, 55.64%, 7148.000, 1, ModifyGraphWithDelegate/0

Operator-wise Profiling Info for Regular Benchmark Runs:
============================== Run Order ==============================
node type, first, avg_ms, %, cdf%, mem KB, times called, name
QUANTIZE, 0.199, 0.203, 1.328%, 1.328%, 0.000, 1, [tfl.quantize]:0
CONV_2D, 0.398, 0.407, 2.658%, 3.986%, 0.000, 13, [a/add_fold, aspp0/Relu]:71
"Convolution (NHWC, QC8) GEMM", 0.125, 0.023, 1.944%, 5.9%, 0.000, 1, "Delegate/Conv (NHWC, QC8) GEMM:3"

============================== Top by Computation Time ==============================
node type, first, avg_ms, %, cdf%, mem KB, times called, name
CONV_2D, 0.398, 9.407, 2.658%, 3.986%, 0.000, 13, [a]:71
"""


def test_ops_of_a_frame_in_order():
    rows = parse_op_csv(CSV)
    assert [(row.kind, row.mean_ms, row.first_ms, row.times_called) for row in rows] == [
        ("QUANTIZE", 0.203, 0.199, 1),
        ("CONV_2D", 0.407, 0.398, 13),
        ("Convolution (NHWC, QC8) GEMM", 0.023, 0.125, 1),
    ]
    assert rows[1].name == "[a/add_fold, aspp0/Relu]:71"


def test_older_builds_have_a_column_more():
    older = re.sub(r"(first,|\b(?=0\.\d+, [09]\.\d+, \d))", lambda found: f"start, {found[0]}", CSV)
    older = older.replace("start, 0.", "7.000, 0.")
    assert [row.mean_ms for row in parse_op_csv(older)] == [row.mean_ms for row in parse_op_csv(CSV)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no op profile of benchmark_model"),
        (CSV.replace("avg_ms", "avg"), "no column 'avg_ms'"),
        (CSV.replace("0.203", "much"), "row of the op profile cannot be read"),
        (CSV.replace("0.203", "nan"), "row of the op profile cannot be read"),
    ],
)
def test_what_is_no_profile_is_refused(text, message):
    with pytest.raises(DataError, match=message):
        parse_op_csv(text)


@given(st.text(max_size=200))
def test_no_rows_crash_the_parser(text):
    head = "\n".join(CSV.splitlines()[5:8])
    with contextlib.suppress(DataError):
        parse_op_csv(f"{head}\n{text}")
