"""What benchmarks write for other programs."""

import json

import numpy as np

from tests.benchmarks._table import write_report


def test_figures_of_numpy_are_written_as_numbers(tmp_path):
    rows = [{"ratio": np.float64(1.5), "interval": (np.float32(0.5), 2.5), "holds": np.bool_(True)}]
    write_report(tmp_path / "report.json", "one", rows, {"n": np.int64(3)})
    document = json.loads((tmp_path / "report.json").read_text())
    assert document["rows"] == [{"ratio": 1.5, "interval": [0.5, 2.5], "holds": True}]
    assert document["summary"] == {"n": 3}
