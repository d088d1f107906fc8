import pytest

from runtime.device.soc import list_profiles
from runtime.errors import DataError, DeviceStableError
from runtime.targets import list_targets, open_target, overview


def test_the_machine_itself_and_every_profile():
    kinds = ("virtual", "emulated")
    assert list_targets() == ["local", *(f"{kind}:{soc}" for kind in kinds for soc in list_profiles())]


@pytest.mark.parametrize("name", [name for name in list_targets() if not name.startswith("emulated:")])
def test_every_target_keeps_the_contract(name):
    target = open_target(name)
    assert target.name == name
    assert target.provenance == ("measured" if name == "local" else "modelled")
    settings = target.settings((1, 2))
    assert len(set(settings)) == len(settings) > 0
    for setting in settings:
        cluster = target.profile.cluster(setting.cluster)
        assert setting.threads <= len(cluster.cpus)
        if setting.freq_khz is not None:
            cluster.opp(setting.freq_khz)
        figure = target.power(setting)
        assert figure is None or (figure.power_mw > 0 and figure.source)
    assert target.energy_note


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sdm845", "unknown target 'sdm845'; did you mean virtual:sdm845"),
        ("virtual:sdm854", "did you mean virtual:sdm845"),
        ("emulated:sdm854", "did you mean emulated:sdm845"),
        ("lokal", "did you mean local"),
        ("phone", "known: local, virtual:a311d"),
        ("local:x", "unknown target"),
    ],
)
def test_an_unknown_target_names_near_ones(name, message):
    with pytest.raises(ValueError, match=message):
        open_target(name)


def test_a_profile_of_ones_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        'name = "mine"\ntitle = "Mine"\nboard = "desk"\n'
        '[[clusters]]\nname = "cpu"\ncore = "cortex-a53"\ncpus = [0]\nopps = [{ freq_khz = 1000000 }]\n'
    )
    target = open_target(f"virtual:{path}")
    assert target.profile.title == "Mine"
    assert target.power(target.settings()[0]) is None
    with pytest.raises(DataError, match="cannot read the profile"):
        open_target("virtual:none.toml")


@pytest.mark.parametrize("ending", ["yaml", "yml"])
def test_a_measured_table_of_ones_own(tmp_path, ending):
    pytest.importorskip("yaml")
    path = tmp_path / f"mine.{ending}"
    path.write_text(
        "name: mine\nclusters:\n- {name: cpu, core: cortex-a55, cpus: [0], capacity_dmips_mhz: 1024,\n"
        "   opps: [{khz: 500000, power_mw: 20}, {khz: 1000000, power_mw: 60}]}\n"
    )
    target = open_target(f"virtual:{path}")
    assert target.is_modelled
    assert [target.power(setting).power_mw for setting in target.settings()] == [20, 60]


def test_a_target_that_cannot_be_opened_keeps_no_other_from_being_listed(monkeypatch):
    def refuse(name):
        if name == "local":
            raise DeviceStableError("no CPU may be used")
        return open_target(name)

    monkeypatch.setattr(overview, "open_target", refuse)
    local, *others = overview.list_rows()
    assert local.title == "cannot be opened: no CPU may be used"
    assert [row.name for row in others] == list_targets()[1:]
