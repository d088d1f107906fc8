import numpy as np
import pytest

from runtime.device.soc import load_profile
from runtime.errors import DataError
from tests.benchmarks.simulation.platform import platform_of
from tests.benchmarks.simulation.workload import read_trace, standard


def test_standard_workload_is_as_described():
    frames = standard(2_000_000, 60, seeds=range(20))
    assert frames.work.shape == (20, 3600)
    share = frames.work / (2000 / 60)
    assert 0.09 < np.quantile(share, 0.05) < 0.15
    assert np.exp(np.log(share).mean()) == pytest.approx(
        0.3 * 1.035, rel=0.15
    )  # log-uniform; 5 % are doubled
    assert (standard(2_000_000, 60, seeds=[3]).work == frames.work[3]).all()


def test_a_recorded_trace_is_read(tmp_path):
    path = tmp_path / "trace.csv"
    path.write_text("arrival_ms,work_megacycles\n0,5\n10,6\n20,7\n100,8\n")
    frames = read_trace(path)
    assert frames.work.tolist() == [[5, 6, 7, 8]]
    assert frames.deadline_ms.tolist() == [[10, 20, 30, 110]]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a,b\n1,2\n",
        "arrival_ms,work_megacycles\n",
        "arrival_ms,work_megacycles\n0,1\n",
        "arrival_ms,work_megacycles\n0,1\n10,nan\n",
        "arrival_ms,work_megacycles\n0,1\n10,-3\n",
        "arrival_ms,work_megacycles\n10,1\n0,3\n5,3\n",
        "arrival_ms,work_megacycles\n0,1,2\n10,1,2\n",
        "arrival_ms,work_megacycles\n0,1\n10,x\n",
    ],
)
def test_a_bad_trace_is_refused_with_its_path(tmp_path, text):
    path = tmp_path / "trace.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=r"trace\.csv"):
        read_trace(path)


def test_platform_counts_work_in_cycles_of_the_fastest_point():
    soc = platform_of(load_profile("sdm845"))
    assert soc.speed[soc.fastest] == pytest.approx(soc.top_khz / 1e6)
    assert (soc.power_mw > 0).all()
