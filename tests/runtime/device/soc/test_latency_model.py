import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.bundle.workload import OP_KINDS, Op, Workload
from runtime.device.setting import Setting
from runtime.device.soc import (
    CORES,
    Cluster,
    Opp,
    SocProfile,
    bounds_basis,
    list_profiles,
    load_profile,
    modelled_latency,
    modelled_latency_ms,
)
from runtime.device.soc.latency_terms import TERMS, corrected_ms, latency_terms_ms
from runtime.errors import DeviceStableError
from tests.benchmarks.published.networks.catalogue import NETWORKS


def one_core(core, mhz, cpus=4):
    return SocProfile(
        "toy", "Toy", "none", (Cluster("cpu", core, tuple(range(cpus)), (Opp(int(mhz * 1000)),)),)
    )


def latency_ms(ops, core="cortex-a73", mhz=1000, threads=1, precision="fp32"):
    setting = Setting("cpu", int(mhz * 1000), threads)
    return modelled_latency_ms(Workload(tuple(ops)), one_core(core, mhz), setting, precision)


@pytest.mark.parametrize("core", ["cortex-a715", "cortex-x925", "cortex-a510", "neoverse-v2", "cortex-a78ae"])
def test_a_newer_core_is_computed_as_the_nearest_known_one_and_says_so(tmp_path, core):
    text = f'name = "x"\ntitle = "x"\nboard = "x"\n[[clusters]]\nname = "cpu"\ncore = "{core}"\ncpus = [0]\n'
    (tmp_path / "x.toml").write_text(f"{text}[[clusters.opps]]\nfreq_khz = 1000000\n")
    profile = load_profile(tmp_path / "x.toml")
    [note] = profile.notes
    assert note.startswith(f"cpu: {core} is computed as cortex-")
    work = Workload((Op("conv", "conv2d", 10**6, 10**4, 10**4),))
    assert modelled_latency_ms(work, profile, Setting("cpu", None, 1)) > 0


def conv(macs, moved=8, **sizes):
    return Op("c", "conv2d", macs, moved // 2, moved // 2, **sizes)


def test_terms_of_a_convolution_by_hand():
    # 4 MACs a cycle at 1 GHz: 1 ms; 8 MB at 8 GB/s: 1 ms; 10,000 cycles a call: 0.01 ms.
    terms = latency_terms_ms(Workload((conv(4_000_000, 8_000_000),)), CORES["cortex-a73"], 10**6)
    assert terms == pytest.approx({**dict.fromkeys(TERMS, 0.0), "conv": 1.0, "memory": 1.0, "calls": 0.01})


def test_terms_of_what_only_moves_by_hand():
    # 8 bytes a cycle at 1 GHz: 1 ms, and 1 ms behind the caches.
    terms = latency_terms_ms(Workload((Op("a", "copy", 0, 8_000_000, 0),)), CORES["cortex-a73"], 10**6)
    assert terms["pass"] == pytest.approx(1.0)
    assert terms["memory"] == pytest.approx(1.0)


def test_weights_of_a_linear_layer_are_streamed():
    terms = latency_terms_ms(Workload((Op("l", "linear", 10**6, 8_000_000, 0),)), CORES["cortex-a73"], 10**6)
    assert terms["weights"] == pytest.approx(1.0)


def test_memory_behind_the_caches_does_not_follow_the_clock():
    ops = [Op("a", "copy", 0, 10_000_000, 0)]
    assert 1.2 < latency_ms(ops, mhz=1000) / latency_ms(ops, mhz=2000) < 1.9


def test_a_factor_scales_its_terms_alone():
    terms = dict.fromkeys(TERMS, 1.0)
    # exp(2 * 0.5) of five arithmetic terms, three others as they are.
    assert corrected_ms(terms, {"int8": 2.0}, {"int8": 0.5}) == pytest.approx(5 * math.e + 3)
    assert corrected_ms(terms, {"soc_new": 1.0}, {}) == pytest.approx(8)


def test_ops_add_up():
    op = conv(3_000_000)
    assert latency_ms([op, op]) == pytest.approx(2 * latency_ms([op]))


@pytest.mark.parametrize(
    ("core", "gain"), [("cortex-a76", 4), ("cortex-a710", 8), ("cortex-a73", 1.5), ("kryo-385-gold", 1.5)]
)
def test_int8_gains_what_the_instructions_give(core, gain):
    work = Workload((conv(10**9, 8),))
    fp32, int8 = (latency_terms_ms(work, CORES[core], 10**6, p)["conv"] for p in ("fp32", "static_wi8_ai8"))
    assert fp32 / int8 == gain


def test_fp16_doubles_where_the_core_has_it():
    work = Workload((conv(10**9, 8),))
    fp32, fp16 = (latency_terms_ms(work, CORES["cortex-a75"], 10**6, p)["conv"] for p in ("fp32", "fp16"))
    assert fp32 / fp16 == 2


def test_threads_speed_up_less_than_their_number():
    ops = [conv(300_000_000)]
    assert 2.5 < latency_ms(ops) / latency_ms(ops, threads=4) < 3.5  # published: x1.8 to 3.2, by board


@pytest.mark.parametrize("kind", OP_KINDS)
def test_every_kind_of_op_costs_something(kind):
    one, two = ([Op("o", kind, n * 10**6, n * 10**6, n * 10**6)] for n in (1, 2))
    assert latency_ms(two) > 1.3 * latency_ms(one)


def test_a_soc_with_published_rows_is_known_better_than_one_without():
    work = Workload((conv(10**8),))
    checked, unchecked = load_profile("rk3399"), load_profile("kirin960")
    known, unknown = (
        modelled_latency(work, profile, Setting("big", None)) for profile in (checked, unchecked)
    )
    assert "not checked against any phone" in bounds_basis(unchecked)
    assert "not checked" not in bounds_basis(checked)
    assert known.low_ms < known.latency_ms < known.high_ms
    assert known.high_ms / known.low_ms < unknown.high_ms / unknown.low_ms


# Published: XNNPACK's README of 2020, fp32, MobileNet v1 and v2 1.0X in ms. Pixel 3a is on no SoC of the fit.
@pytest.mark.parametrize(
    ("core", "mhz", "threads", "v1_ms", "v2_ms", "within"),
    [
        ("kryo-280-gold", 2457, 1, 86, 53, 1.3),  # Pixel 2
        ("kryo-280-gold", 2457, 4, 27, 18, 1.4),
        ("cortex-a75", 2016, 1, 88, 55, 1.4),  # Pixel 3a, Kryo 360 gold
        ("cortex-a75", 2016, 2, 46, 28, 1.5),
        ("cortex-a53", 1400, 4, 115, 79, 1.6),  # Raspberry Pi 3+
        ("cortex-a72", 1500, 4, 75, 44, 1.5),  # Raspberry Pi 4
    ],
)
def test_near_what_xnnpack_published(core, mhz, threads, v1_ms, v2_ms, within):
    for network, published_ms in (("mobilenet_v1", v1_ms), ("mobilenet_v2", v2_ms)):
        ops = NETWORKS[network].build(224).ops
        ratio = latency_ms(ops, core, mhz, threads) / published_ms
        assert 1 / within < ratio < within


@given(
    soc=st.sampled_from(list_profiles()),
    macs=st.integers(0, 10**9),
    moved=st.integers(0, 10**8),
    kind=st.sampled_from(OP_KINDS),
    threads=st.integers(1, 2),
    precision=st.sampled_from(("fp32", "static_wi8_ai8")),
)
def test_a_higher_clock_is_always_faster(soc, macs, moved, kind, threads, precision):
    workload = Workload((Op("op", kind, macs, moved, moved),))
    profile = load_profile(soc)
    for cluster in profile.clusters:
        settings = [Setting(cluster.name, o.freq_khz, min(threads, len(cluster.cpus))) for o in cluster.opps]
        times = [modelled_latency_ms(workload, profile, setting, precision) for setting in settings]
        assert all(slow > fast for slow, fast in pairwise(times))


def test_no_clock_means_the_highest():
    profile, workload = load_profile("gs101"), Workload((Op("c", "conv2d", 10**6, 1, 1),))
    highest = modelled_latency_ms(workload, profile, Setting("big", 2850000))
    assert modelled_latency_ms(workload, profile, Setting("big", None)) == highest


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (Setting("huge", None), "no cluster 'huge'"),
        (Setting("big", 5), "no clock of 5 kHz"),
        (Setting("big", None, 3), "allowed on 'big': 1 to 2"),
    ],
)
def test_bad_settings(setting, message):
    with pytest.raises(ValueError, match=message):
        modelled_latency_ms(Workload(()), load_profile("gs101"), setting)


def test_unknown_cores_and_hidden_clocks_cannot_be_modelled():
    with pytest.raises(DeviceStableError, match="'m1', of which no speed is known"):
        latency_ms([], core="m1")
    hidden = SocProfile("local", "this", "here", (Cluster("cpu", "cortex-a53", (0,)),))
    with pytest.raises(DeviceStableError, match="shows no clocks"):
        modelled_latency_ms(Workload(()), hidden, Setting("cpu", None))
