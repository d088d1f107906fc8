from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.bundle.workload import OP_KINDS, Op, Workload
from runtime.device.setting import Setting
from runtime.device.soc import Cluster, Opp, SocProfile, list_profiles, load_profile, modelled_latency_ms
from runtime.device.soc.roofline import EFFICIENCY
from runtime.errors import DeviceStableError


def one_core(core, mhz, cpus=4):
    return SocProfile(
        "toy", "Toy", "none", (Cluster("cpu", core, tuple(range(cpus)), (Opp(int(mhz * 1000)),)),)
    )


def latency_ms(ops, core="cortex-a73", mhz=1000, threads=1, precision="fp32"):
    setting = Setting("cpu", int(mhz * 1000), threads)
    return modelled_latency_ms(Workload(tuple(ops)), one_core(core, mhz), setting, precision)


@pytest.mark.parametrize("core", ["cortex-a720", "cortex-x4", "cortex-a510", "neoverse-v2", "oryon"])
def test_a_newer_core_is_computed_as_the_nearest_known_one_and_says_so(tmp_path, core):
    text = f'name = "x"\ntitle = "x"\nboard = "x"\n[[clusters]]\nname = "cpu"\ncore = "{core}"\ncpus = [0]\n'
    (tmp_path / "x.toml").write_text(f"{text}[[clusters.opps]]\nfreq_khz = 1000000\n")
    profile = load_profile(tmp_path / "x.toml")
    [note] = profile.notes
    assert note.startswith(f"cpu: {core} is computed as cortex-")
    work = Workload((Op("conv", "conv2d", 10**6, 10**4, 10**4),))
    assert modelled_latency_ms(work, profile, Setting("cpu", None, 1)) > 0


def conv(name, kernel, c_in, c_out, side, stride=1, depthwise=False):
    out = side // stride
    macs = out * out * c_out * kernel**2 * (1 if depthwise else c_in)
    weights = kernel**2 * c_out * (1 if depthwise else c_in)
    kind = "depthwise_conv2d" if depthwise else "conv2d"
    return Op(name, kind, macs, 4 * (side * side * c_in + weights), 4 * out * out * c_out)


def mobilenet_v1():
    ops, side, width = [conv("stem", 3, 3, 32, 224, 2)], 112, 32
    plan = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
    for out, stride in plan:
        ops.append(conv("depthwise", 3, width, width, side, stride, depthwise=True))
        side //= stride
        ops.append(conv("pointwise", 1, width, out, side))
        width = out
    return [*ops, Op("head", "linear", 1_024_000, 4_096_000, 4_000)]


def mobilenet_v2():
    ops, side, width = [conv("stem", 3, 3, 32, 224, 2)], 112, 32
    plan = [
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ]
    for expand, out, repeats, first_stride in plan:
        for i in range(repeats):
            stride, wide = first_stride if i == 0 else 1, width * expand
            if expand > 1:
                ops.append(conv("expand", 1, width, wide, side))
            ops.append(conv("depthwise", 3, wide, wide, side, stride, depthwise=True))
            side //= stride
            ops.append(conv("project", 1, wide, out, side))
            if stride == 1 and width == out:
                ops.append(Op("add", "elementwise", side**2 * out, 8 * side**2 * out, 4 * side**2 * out))
            width = out
    return [*ops, conv("last", 1, 320, 1280, side), Op("head", "linear", 1_280_000, 5_120_000, 4_000)]


def test_arithmetic_bound_op():
    # 4 MACs per cycle at 75 %, 1 GHz: 3e9 MACs per second; 12,000 cycles of overhead.
    assert latency_ms([Op("c", "conv2d", 3_000_000, 4, 4)]) == pytest.approx(1.0 + 0.012)


def test_memory_bound_op():
    # 4 bytes per cycle at 1 GHz.
    assert latency_ms([Op("a", "copy", 0, 2_000_000, 2_000_000)]) == pytest.approx(1.0 + 0.012)


def test_memory_behind_the_caches_does_not_follow_the_clock():
    ops = [Op("a", "copy", 0, 10_000_000, 0)]  # at 10 GB/s
    assert latency_ms(ops, mhz=4000) == pytest.approx(1.0 + 0.003)


def test_ops_add_up():
    op = Op("c", "conv2d", 3_000_000, 4, 4)
    assert latency_ms([op, op]) == pytest.approx(2 * latency_ms([op]))


def test_int8_uses_the_dot_product_where_there_is_one():
    op = [Op("c", "conv2d", 300_000_000, 4, 4)]
    assert latency_ms(op, "cortex-a76") / latency_ms(
        op, "cortex-a76", precision="static_wi8_ai8"
    ) == pytest.approx(4, rel=0.01)
    assert latency_ms(op, "cortex-a73") / latency_ms(
        op, "cortex-a73", precision="static_wi8_ai8"
    ) == pytest.approx(1.5, rel=0.01)


def test_threads_speed_up_less_than_their_number():
    ops = [Op("c", "conv2d", 300_000_000, 4, 4)]
    assert latency_ms(ops) / latency_ms(ops, threads=4) == pytest.approx(1 / (0.08 + 0.92 / 4), rel=0.001)


def test_every_kind_of_op_has_an_efficiency():
    assert set(EFFICIENCY) == set(OP_KINDS)


# Published: XNNPACK's README of 2020, fp32, MobileNet v1 and v2 1.0X in ms.
@pytest.mark.parametrize(
    ("core", "mhz", "threads", "v1_ms", "v2_ms", "within"),
    [
        ("kryo-280-gold", 2457, 1, 86, 53, 1.2),  # Pixel 2
        ("kryo-280-gold", 2457, 4, 27, 18, 1.2),
        ("cortex-a75", 2016, 1, 88, 55, 1.2),  # Pixel 3a, Kryo 360 gold
        ("cortex-a75", 2016, 2, 46, 28, 1.2),
        ("cortex-a7", 900, 4, 341, 197, 1.3),  # Raspberry Pi 2
        ("cortex-a53", 1400, 4, 115, 79, 2.7),  # Raspberry Pi 3+: narrow memory, not in the model
        ("cortex-a72", 1500, 4, 75, 44, 2.7),  # Raspberry Pi 4
    ],
)
def test_near_what_xnnpack_published(core, mhz, threads, v1_ms, v2_ms, within):
    for ops, published_ms in ((mobilenet_v1(), v1_ms), (mobilenet_v2(), v2_ms)):
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
        (Setting("big", None, 3), "allowed on 'big' of gs101: 1 to 2"),
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
