import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.engines.programs import AppResult, parse_benchmark_results
from runtime.errors import DataError

MODEL = {"name": "mv3", "backend": "xnnpack", "quantization": "q8"}
DEVICE = {"device": "SM-S901U1", "arch": "samsung", "os": "Android 13", "totalMem": 1, "availMem": 1}


def metric(name, value):
    return {
        "benchmarkModel": MODEL,
        "metric": name,
        "actualValue": value,
        "targetValue": 0.0,
        "deviceInfo": DEVICE,
    }


def test_metrics_of_one_model_come_together():
    data = json.dumps(
        [
            metric("avg_inference_latency(ms)", 7.62),
            metric("trimmean_inference_latency(ms)", 7.5),
            metric("model_load_time(ms)", 31.0),
            metric("load_status", 0.0),
            metric("ram_pss_usage(mb)", 12.5),
            metric("token_per_sec", 3.0),
        ]
    )
    assert parse_benchmark_results(data.encode()) == [
        AppResult("mv3", "xnnpack", "q8", "SM-S901U1", 7.62, 7.5, 31.0, 0, 12.5)
    ]


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b'[{"metric": "x"}]', b"[" * 5000])
def test_another_file_is_refused(data):
    with pytest.raises(DataError, match=r"no benchmark_results.json"):
        parse_benchmark_results(data)


@given(st.binary(max_size=100))
def test_no_bytes_crash_the_parser(data):
    with contextlib.suppress(DataError):
        parse_benchmark_results(data)
