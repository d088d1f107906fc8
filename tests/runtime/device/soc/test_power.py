import pytest

from runtime.device.soc import Cluster, Opp, load_profile, power_mw
from runtime.errors import DeviceStableError


def make(*opps, coefficient=None):
    return Cluster(
        "big", "cortex-a76", (0, 1), opps, power_coefficient=coefficient, power_source="measured: here"
    )


def test_a_measured_row_comes_as_it_is():
    figure = power_mw(make(Opp(1000_000, power_mw=100.0)), 1000_000)
    assert (figure.power_mw, figure.source) == (100.0, "measured: here")


def test_between_two_rows_a_straight_line():
    figure = power_mw(
        make(Opp(1000_000, power_mw=100.0), Opp(1250_000), Opp(2000_000, power_mw=300.0)), 1250_000
    )
    assert figure.power_mw == 150.0
    assert figure.source == "modelled: between 1000 and 2000 MHz of measured: here"


def test_outside_the_rows_a_fit_of_leakage_and_switching():
    # P = 20 mW + 0.5 mW/(MHz V^2) f V^2 holds exactly for the three rows.
    rows = [Opp(khz, uv, 20 + 0.5 * khz / 1e3 * (uv / 1e6) ** 2) for khz, uv in
            [(1000_000, 800_000), (1500_000, 900_000), (2000_000, 1000_000)]]  # fmt: skip
    figure = power_mw(make(Opp(500_000, 800_000), *rows), 500_000)
    assert figure.power_mw == pytest.approx(20 + 0.5 * 500 * 0.64)
    assert figure.source == "modelled: P = b + C f V^2, 0.0 % off the rows it is fitted to, of measured: here"


def test_a_fit_gives_no_negative_leakage():
    steep = [Opp(1000_000 * n, 1000_000, 100.0 * n**2) for n in (1, 2, 3)]
    assert power_mw(make(Opp(100_000, 1000_000), *steep), 100_000).power_mw > 0


def test_the_device_trees_coefficient_is_labelled():
    cluster = load_profile("kirin960").cluster("big")
    figure = power_mw(cluster, 2362000)  # 550 uW/MHz/V^2 at 2362 MHz and 1.1 V
    assert figure.power_mw == pytest.approx(550 * 2362 * 1.21 / 1000)
    assert figure.source == "modelled: device-tree coefficient, C f V^2 (7-68 % off measured power)"


def test_each_further_core_adds_52_percent():
    cluster = load_profile("sm8250").cluster("mid")
    one, three = power_mw(cluster, 710400), power_mw(cluster, 710400, threads=3)
    assert three.power_mw == pytest.approx(one.power_mw * 2.04)
    assert three.source.endswith("each further core +52 % (Odroid XU3 A15)")


def test_a_scheduler_table_is_not_called_measured():
    assert power_mw(load_profile("rk3399").cluster("big"), 1800000).source.startswith(
        "sched-energy table (bogo-mW)"
    )


def test_without_voltage_and_neighbours_there_is_no_figure():
    with pytest.raises(
        DeviceStableError, match="voltage is not published and the cluster has measured power from 825600"
    ):
        power_mw(load_profile("sdm845").cluster("big"), 300000)


def test_without_anything_there_is_no_figure():
    cluster = Cluster("cpu", "cortex-a53", (0,), (Opp(1000_000),))
    with pytest.raises(
        DeviceStableError, match="has no measured power; choose another clock, or add power_mw"
    ):
        power_mw(cluster, 1000_000)


@pytest.mark.parametrize(
    ("khz", "threads", "message"), [(5, 1, "no clock of 5 kHz"), (1000_000, 3, "allowed on 'big': 1 to 2")]
)
def test_bad_arguments(khz, threads, message):
    with pytest.raises(ValueError, match=message):
        power_mw(make(Opp(1000_000, power_mw=1.0)), khz, threads)
