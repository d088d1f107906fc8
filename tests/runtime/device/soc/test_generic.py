import pytest

from runtime.device.setting import Setting
from runtime.device.soc import load_profile, modelled_latency
from runtime.device.soc.latency_model import bounds_basis
from runtime.targets import VirtualTarget
from runtime.targets.name import TargetName
from tests.runtime.phone import WORKLOAD


def test_cores_by_type_are_a_profile():
    profile = load_profile("generic:4xcortex-a510@1800+3xcortex-a715@600,2400+1xcortex-x3@2900")
    assert [(c.name, c.cpus) for c in profile.clusters] == [
        ("little", (0, 1, 2, 3)),
        ("mid", (4, 5, 6)),
        ("big", (7,)),
    ]
    assert [opp.freq_khz for opp in profile.cluster("mid").opps] == [600_000, 2_400_000]
    assert "mid: cortex-a715 is computed as cortex-a720, the nearest known core" in profile.notes
    assert "not checked against any phone" in bounds_basis(profile)


def test_its_latency_is_modelled_and_its_power_unknown():
    target = VirtualTarget("generic:4xa55@1800+4xa76@2400")
    slow, fast = (modelled_latency(WORKLOAD, target.profile, Setting(c, None)) for c in ("little", "big"))
    assert fast.low_ms < fast.latency_ms < slow.latency_ms < slow.high_ms
    assert target.power(Setting("big", 2_400_000)) is None
    assert "no power" in target.energy_note


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("generic:4xcortex-a76", "is no cluster; write generic:4x"),
        ("generic:", "is no cluster"),
        ("generic:4xcortex-a76@2400+", "is no cluster"),
        ("generic:0xcortex-a76@2400", "0 CPUs; 1 to 256"),
        ("generic:400xcortex-a76@2400", "400 CPUs; 1 to 256"),
        ("generic:4xcortex-z9@2400", "nothing is known of cores of type 'cortex-z9'; known: cortex-a7"),
    ],
)
def test_what_is_no_such_name_is_refused(name, message):
    for parse in (load_profile, lambda text: TargetName.parse(f"virtual:{text}")):
        with pytest.raises(ValueError, match=message):
            parse(name)
