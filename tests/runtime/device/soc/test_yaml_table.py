"""SoC tables in YAML: measured clocks, the device tree beside them, and files that are neither."""

import pytest

from runtime.device.soc import load_profile, power_mw
from runtime.errors import DataError

pytest.importorskip("yaml")

MEASURED = """
name: chip
devices: [Some phone]
source: somebody's bench (MIT)
clusters:
- measured_cpu: 1
  coremarks_per_mhz: 3.0
  opps:
  - {khz: 600000, power_mw: -2.5, coremark: 1800.0}
  - {khz: 900000, power_mw: 60.0, coremark: 2700.0, microvolt: 700000}
  - {khz: 1200000, power_mw: 80.0, coremark: 3600.0, microvolt: 800000}
- measured_cpu: 6
  coremarks_per_mhz: 6.0
  opps:
  - {khz: 1000000, power_mw: 300.0, coremark: 6000.0}
  - {khz: 2000000, power_mw: 900.0, coremark: 12000.0}
"""
TREE = """
name: Chip of the tree
clusters:
- {name: small, core: cortex-a55, cpus: [0, 1, 2, 3, 4, 5], capacity_dmips_mhz: 400,
   dynamic_power_coefficient: 100, opps: [{khz: 600000, microvolt: 650000}, {khz: 900000, microvolt: 690000}]}
- {name: large, core: cortex-a76, cpus: [6, 7], capacity_dmips_mhz: 1024,
   dynamic_power_coefficient: 300, opps: [{khz: 1000000, microvolt: null}]}
"""
SCHED = """
name: board
source: [a kernel, another]
unit: bogo-milliwatt
clusters:
- name: big
  core: cortex-a57
  cpus: [1, 2]
  core_opps: [{khz: 450000, capacity: 417, power: 160}, {khz: 800000, capacity: 744, power: 360}]
  cluster_opps: [{khz: 450000, capacity: 417, power: 40}, {khz: 800000, capacity: 744, power: 40}]
"""
RAIL = """
name: rail
clusters:
- name: big
  core: cortex-a15
  cpus: [4, 5]
  opps: [{khz: 1000000, microvolt: 968770}]
  rail_mean:
  - {khz: 1000000, active_cores: 1, power_mw: 600, volt: 0.9}
  - {khz: 1000000, active_cores: 2, power_mw: 900, volt: 0.9}
"""


def write(folder, **files):
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder / f"{next(iter(files))}.yaml"


def test_a_measured_table_alone(tmp_path):
    profile = load_profile(write(tmp_path, chip_measured=MEASURED))
    little, big = profile.clusters
    assert (profile.name, profile.board) == ("chip", "Some phone")
    assert (little.name, little.cpus, little.capacity_dmips_mhz) == ("little", (0, 1, 2, 3, 4, 5), 512)
    assert (big.name, big.cpus, big.opp(2000000).power_mw) == ("big", (6, 7), 900.0)
    assert little.opp(900000).voltage_uv == 700000
    assert big.power_source == "measured: somebody's bench (MIT)"
    assert any("CPU numbers are worked out" in note for note in profile.notes)


def test_cores_that_a_table_does_not_name_are_known_by_their_speed(tmp_path):
    clocks = [(500_000, 20.0), (1_000_000, 60.0)]
    rows = {
        speed: "".join(
            f"  - {{khz: {khz}, power_mw: {mw}, coremark: {speed * khz / 1e3}}}\n" for khz, mw in clocks
        )
        for speed in (3.71, 9.1)
    }
    text = "clusters:\n" + "".join(
        f"- measured_cpu: {cpu}\n  opps:\n{rows[speed]}" for cpu, speed in ((1, 3.71), (4, 9.1))
    )
    profile = load_profile(write(tmp_path, chip_measured=text))
    little, big = profile.clusters
    assert (little.core, big.core) == ("cortex-a55", "cortex-a78")
    assert (little.capacity_dmips_mhz, big.capacity_dmips_mhz) == (417, 1024)
    assert any("big: taken for cortex-a78, by its 9.10 CoreMarks" in note for note in profile.notes)


def test_a_speed_of_no_known_core_names_none(tmp_path):
    text = "clusters:\n- measured_cpu: 0\n  opps: [{khz: 1000000, power_mw: 60.0, coremark: 1900.0}]\n"
    assert load_profile(write(tmp_path, chip_measured=text)).clusters[0].core == "unknown"


def test_a_device_tree_that_names_the_family_of_its_cores_alone(tmp_path):
    text = "clusters:\n" + "".join(
        f"- {{core: 'qcom,kryo485', cpus: [{cpu}], capacity_dmips_mhz: {speed}, opps: [{{khz: 1000000}}]}}\n"
        for cpu, speed in ((0, 488), (4, 1024))
    )
    assert [each.core for each in load_profile(write(tmp_path, chip=text)).clusters] == [
        "kryo-485-silver",
        "kryo-485-gold",
    ]


def test_a_power_below_zero_is_left_out_by_name(tmp_path):
    profile = load_profile(write(tmp_path, chip_measured=MEASURED))
    (row,) = profile.left_out
    assert (row.cluster, row.freq_khz, row.reason) == ("little", 600000, "a busy core cannot take -2.5 mW")
    assert profile.cluster("little").opp(600000).power_mw is None
    assert any("600 MHz at -2.5 mW" in note for note in profile.notes)


def test_the_device_tree_beside_it_fills_what_is_open(tmp_path):
    profile = load_profile(write(tmp_path, chip_measured=MEASURED, chip=TREE))
    small, large = profile.clusters
    assert (small.name, small.core, small.power_coefficient) == ("small", "cortex-a55", 100)
    assert small.opp(600000).voltage_uv == 650000
    assert small.opp(900000).voltage_uv == 700000  # the table's own comes first
    assert (large.cpus, large.opp(1000000).voltage_uv) == ((6, 7), None)
    assert "device tree: chip.yaml" in profile.sources


def test_a_device_tree_alone_has_clocks_and_no_power(tmp_path):
    small, large = load_profile(write(tmp_path, chip=TREE)).clusters
    assert small.max_khz == 900000
    assert large.power_source is None


def test_scheduler_tables_add_core_and_cluster(tmp_path):
    (big,) = load_profile(write(tmp_path, board_sched_energy_measured=SCHED)).clusters
    assert big.opp(800000).power_mw == 400.0
    assert big.further_core_share == pytest.approx(0.9)
    assert (big.power_kind, big.power_basis) == ("gross", "rail")
    assert power_mw(big, 800000, threads=2).power_mw == pytest.approx(760)
    assert power_mw(big, 800000, threads=2).source.endswith("each further core +90 % (its own table)")
    assert big.power_source == "sched-energy table (bogo-mW): a kernel; another"


def test_rail_rows_say_what_a_second_core_adds(tmp_path):
    (big,) = load_profile(write(tmp_path, rail_measured=RAIL)).clusters
    assert (big.opp(1000000).power_mw, big.further_core_share) == (600.0, 0.5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not a YAML table"),
        ("- 1", "not a YAML table"),
        ("name: x", "no list `clusters`"),
        ("clusters: [{name: a, cpus: [0], opps: []}]", "no cluster has rows with a clock"),
        ("clusters: [{name: a, opps: [{khz: 5}]}]", "not a SoC table"),
        ("clusters: [{name: a, cpus: [0], opps: [{khz: fast}]}]", "not a SoC table"),
        ("clusters: [{name: a, cpus: [0], opps: [7]}]", "not a SoC table"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        load_profile(write(tmp_path, odd=text))


def test_a_power_that_is_no_number_is_left_out_by_name(tmp_path):
    text = "clusters: [{name: a, cpus: [0], opps: [{khz: 1, power_mw: .nan}]}]"
    assert load_profile(write(tmp_path, odd=text)).left_out[0].reason == "a busy core cannot take nan mW"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nowhere\.yaml \(No such file"):
        load_profile(tmp_path / "nowhere.yaml")


def test_a_table_says_what_its_powers_hold(tmp_path):
    text = MEASURED.replace("name: chip", "name: chip\npower_kind: gross\npower_basis: rail")
    text = text.replace("power_mw: 300.0", "power_mw: 300.0, idle_mw: 12.5")
    little, big = load_profile(write(tmp_path, chip_measured=text)).clusters
    assert (little.power_kind, big.power_basis, big.opp(1000000).idle_mw) == ("gross", "rail", 12.5)
    with pytest.raises(DataError, match="power_basis is 'wall'; it must be one of battery, rail, board"):
        load_profile(write(tmp_path, odd=text.replace("power_basis: rail", "power_basis: wall")))


@pytest.mark.parametrize(
    ("method", "tags"),
    [
        ("PMIC meters of each rail; nothing is subtracted: gross, use active minus idle", ("gross", "rail")),
        ("fuel gauge, mean sample minus baseline", ("net", "battery")),
        ("rail and battery", (None, None)),  # which of them, it does not say
    ],
)
def test_without_tags_the_words_of_its_method_count(tmp_path, method, tags):
    profile = load_profile(write(tmp_path, chip_measured=f"method: {method!r}\n{MEASURED}"))
    assert (profile.clusters[0].power_kind, profile.clusters[0].power_basis) == tags
    assert any("assumed net" in note for note in profile.notes) == (tags == (None, None))
