import pytest

from runtime.device.soc import Cluster, Opp, load_profile, power_mw, rail_of
from runtime.device.soc.power import Assumed
from runtime.errors import DeviceStableError

HERE = "measured: here"


def make(*opps, **facts):
    return Cluster("big", "cortex-a76", (4, 5), opps, power_source=HERE, **facts)


def test_a_net_row_over_the_idle_cluster():
    cluster = make(Opp(1_000_000, power_mw=100.0, idle_mw=30.0), power_kind="net", power_basis="rail")
    figure = power_mw(cluster, 1_000_000)
    assert (figure.source, figure.basis, figure.is_gross) == (HERE, "rail", False)
    # The cluster may be up anyway, or be woken for the work alone.
    assert (min(figure.corners_mw), figure.power_mw, max(figure.corners_mw)) == (100.0, 130.0, 130.0)


def test_the_cluster_that_keeps_house_is_up_anyway():
    cluster = Cluster(
        "little", "cortex-a55", (0, 1), (Opp(1000, power_mw=100.0, idle_mw=30.0),), power_source=HERE
    )
    assert power_mw(cluster, 1000).power_mw == 100.0
    assert rail_of(cluster).mean_mw(1000, 0.0) == 30.0


def test_a_gross_row_holds_its_idle_cluster():
    cluster = make(Opp(1000, power_mw=100.0, idle_mw=30.0), power_kind="gross", collapsed_mw=2.0)
    figure = power_mw(cluster, 1000)
    assert (min(figure.corners_mw), figure.power_mw) == (70.0, 98.0)


def test_a_row_over_the_collapsed_cluster():
    cluster = make(Opp(1000, power_mw=100.0), power_kind="net", collapsed_mw=2.0)
    rail = rail_of(cluster, Assumed(up_share=0.0))
    assert (rail.work_mw(1000), rail.mean_mw(1000, 0.0)) == (100.0, 2.0)


def test_idle_power_that_nobody_read_is_assumed_and_widens_the_figure():
    figure = power_mw(make(Opp(1000, power_mw=100.0), Opp(2000, power_mw=300.0)), 2000)
    assert (min(figure.corners_mw), figure.power_mw, max(figure.corners_mw)) == (300.0, 300.0, 340.0)


def test_a_clock_that_nobody_measured_is_filled_in():
    figure = power_mw(
        make(Opp(1000_000, power_mw=100.0, idle_mw=0), Opp(2000_000), Opp(4000_000, power_mw=400.0)), 2000_000
    )
    assert figure.power_mw == pytest.approx(200.0)
    assert figure.source == "modelled: between 1000 and 4000 MHz of measured: here"
    below = power_mw(load_profile("sdm845").cluster("big"), 300000)
    assert below.source.startswith("modelled: below 825.6 MHz of measured: freqbench")


def test_the_device_trees_coefficient_is_labelled():
    cluster = load_profile("kirin960").cluster("little")
    figure = power_mw(cluster, 1844000)  # 110 uW/MHz/V^2 at 1844 MHz and 1.1 V
    assert figure.power_mw == pytest.approx(110 * 1844 * 1.21 / 1000)
    assert figure.source == "modelled: device-tree coefficient, C f V^2 (7-68 % off measured power)"


def test_further_cores_are_assumed_within_what_is_known():
    cluster = make(Opp(1000, power_mw=100.0, idle_mw=0.0))
    figure = power_mw(cluster, 1000, threads=2)
    assert (min(figure.corners_mw), figure.power_mw, max(figure.corners_mw)) == pytest.approx(
        (152.0, 180.0, 197.0)
    )
    assert figure.source == "measured: here; each further core +80 % (assumed, 52-97 %)"
    own = power_mw(make(Opp(1000, power_mw=100.0, idle_mw=0.0), further_core_share=0.6), 1000, threads=2)
    assert (min(own.corners_mw), own.power_mw, max(own.corners_mw)) == pytest.approx((160.0, 160.0, 160.0))
    assert own.source.endswith("each further core +60 % (its own table)")


def test_without_anything_there_is_no_figure():
    cluster = Cluster("cpu", "cortex-a53", (0,), (Opp(1000_000),))
    with pytest.raises(
        DeviceStableError, match=r"no power is known for cpu: none of its clocks .*add power_mw"
    ):
        power_mw(cluster, 1000_000)


@pytest.mark.parametrize(
    ("khz", "threads", "message"), [(5, 1, "no clock of 5 kHz"), (1000_000, 3, "allowed on 'big': 1 to 2")]
)
def test_bad_arguments(khz, threads, message):
    with pytest.raises(ValueError, match=message):
        power_mw(make(Opp(1000_000, power_mw=1.0)), khz, threads)
