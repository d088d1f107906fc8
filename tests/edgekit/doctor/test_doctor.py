"""The doctor finds what is there, says what to type for what is not, and never dies of it."""

import json
import stat

import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from edgekit.doctor import Check, Diagnosis, Section, examine
from edgekit.doctor.engines import Trial, try_out
from edgekit.doctor.examine import SECTIONS
from edgekit.doctor.machine import check_control, check_cores, check_meters
from edgekit.doctor.names import check_names
from edgekit.doctor.packages import check_extras, check_packages, parse_requirement, requirements
from edgekit.doctor.system import check_platform, check_privileges, check_tools
from edgekit.doctor.text import render
from runtime.device.actuators import Journal
from runtime.device.actuators.journal import Entry, PolicyState
from runtime.errors import PermissionNeeded
from runtime.extras import HOME, install_line

PHONE = {
    "devices/system/cpu/cpu0/cpu_capacity": "250",
    "devices/system/cpu/cpu1/cpu_capacity": "250",
    "devices/system/cpu/cpu2/cpu_capacity": "1024",
    "devices/system/cpu/cpufreq/policy0/related_cpus": "0 1",
    "devices/system/cpu/cpufreq/policy0/scaling_available_frequencies": "300000 1800000 900000 ",
    "devices/system/cpu/cpufreq/policy0/scaling_available_governors": "performance userspace schedutil",
    "devices/system/cpu/cpufreq/policy0/scaling_driver": "qcom-cpufreq-hw",
    "devices/system/cpu/cpufreq/policy0/scaling_governor": "schedutil",
    "devices/system/cpu/cpufreq/policy0/scaling_max_freq": "1800000",
    "devices/system/cpu/cpufreq/policy2/related_cpus": "2",
    "devices/system/cpu/cpufreq/policy2/cpuinfo_min_freq": "400000",
    "devices/system/cpu/cpufreq/policy2/cpuinfo_max_freq": "2850000",
    "devices/system/cpu/cpufreq/policy2/scaling_driver": "intel_pstate",
    "devices/system/cpu/cpufreq/policy2/scaling_governor": "powersave",
    "devices/system/cpu/cpufreq/policy2/scaling_max_freq": "2850000",
    "class/powercap/intel-rapl:0/name": "package-0",
    "class/powercap/intel-rapl:0/energy_uj": "123",
    "class/hwmon/hwmon0/name": "ina3221",
    "class/hwmon/hwmon0/power1_input": "5",
    "class/hwmon/hwmon1/name": "coretemp",
    "class/power_supply/battery/current_now": "-1",
    "class/thermal/thermal_zone0/type": "cpu-thermal",
    "class/thermal/thermal_zone0/temp": "45000",
}


@pytest.fixture
def phone(tmp_path):
    """Return a root whose /sys shows a phone's little and big cores."""
    for name, text in PHONE.items():
        path = tmp_path / "sys" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return tmp_path


def told(checks):
    return {check.name: (check.state, check.value) for check in checks}


def test_cores_and_clocks_of_a_phone(phone):
    assert told(check_cores(phone)) == {
        "cores": ("ok", "0-1 capacity 250; 2 capacity 1024"),
        "policy0": ("ok", "cores 0-1: 3 clocks, 300 to 1800 MHz, qcom-cpufreq-hw, governor schedutil"),
        "policy2": ("ok", "cores 2: 400 to 2850 MHz, intel_pstate, governor powersave"),
    }


def test_clocks_that_can_be_set(phone, tmp_path):
    settings = check_control(phone, Journal(tmp_path / "state"))[0]
    assert (settings.state, settings.value) == ("ok", "clocks can be set, processes pinned to cores")


def test_clocks_that_cannot_be_set_say_why(phone, tmp_path):
    (phone / "sys/devices/system/cpu/cpufreq/policy2/scaling_max_freq").unlink()
    settings = check_control(phone, Journal(tmp_path / "state"))[0]
    assert settings.state == "missing"
    assert settings.hint.endswith("scaling_max_freq is not writable: run as root to set clocks")
    levels = told(check_control(phone, Journal(tmp_path / "state")))
    assert levels["control level sysfs"] == ("missing", settings.hint)
    assert levels["control level uclamp"][1].startswith("no cpu.uclamp.min in this process's group")
    assert levels["control level affinity"] == ("ok", "threads can be pinned to CPUs")


def test_what_a_killed_run_left_behind_is_told(phone, tmp_path, monkeypatch):
    journal = Journal(tmp_path / "state")
    journal.write(PolicyState("/sys/devices/system/cpu/cpufreq/policy0", "schedutil", 300_000, 1_800_000))
    assert "left changed" not in told(check_control(phone, journal))  # its owner, this process, lives
    monkeypatch.setattr(Entry, "is_owner_alive", False)
    left = check_control(phone, journal)[-1]
    assert (left.name, left.state, left.hint) == ("left changed", "warn", "restore it: edgekit restore")


def test_policy_that_shows_no_clock_is_told(phone):
    for end in ("min", "max"):
        (phone / f"sys/devices/system/cpu/cpufreq/policy2/cpuinfo_{end}_freq").unlink()
    assert told(check_cores(phone))["policy2"] == ("warn", "cores 2: intel_pstate, shows no clocks")


def test_meters_of_a_phone_are_told_with_the_reason(phone):
    meters = told(check_meters(phone))
    assert meters["ina3221"] == ("ok", "ina3221 ina3221 (ina3221 power1) (taken)")
    assert meters["rapl"] == ("ok", "RAPL package-0 (intel-rapl:0)")
    assert meters["hwmon"][0] == "missing"  # coretemp has no power
    assert meters["battery"] == (
        "missing",
        "battery is 'unknown', its current is not the drain: unplug the charger",
    )
    assert meters["thermal zones"] == ("ok", "cpu-thermal")


def test_meter_that_may_not_be_read_asks_for_root(phone, monkeypatch):
    def refuse(path, why):
        raise PermissionNeeded(f"{path}: {why}; run as root")

    monkeypatch.setattr("runtime.device.meters.powercap.check_readable", refuse)
    state, value = told(check_meters(phone))["rapl"]
    assert (state, value.endswith("since CVE-2020-8694; run as root")) == ("warn", True)


def test_machine_without_sys_is_no_error(tmp_path):
    assert {check.state for check in check_cores(tmp_path)} == {"missing"}
    assert check_control(tmp_path, Journal(tmp_path))[0].state == "missing"
    assert {check.state for check in check_meters(tmp_path)} == {"missing"}


def test_privileges_see_a_sys_that_is_not_there(tmp_path, phone):
    assert told(check_privileges(phone))["/sys"] == ("ok", "writable")
    assert told(check_privileges(tmp_path / "empty"))["/sys"][0] == "missing"


def test_programs_are_looked_for_under_every_name(tmp_path):
    program = tmp_path / "google-chrome"
    program.write_text("#!/bin/sh\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    found = told(check_tools(tmp_path, path=str(tmp_path)))
    assert found["chromium"] == ("ok", str(program))
    assert found["adb"] == ("missing", "for Android phones")


@pytest.mark.parametrize(
    ("version", "state"),
    [
        ((3, 9, 2), "broken"),
        ((3, 10, 9), "ok"),
        ((3, 11, 0), "ok"),
        ((3, 13, 1), "ok"),
        ((3, 14, 0), "broken"),
    ],
)
def test_python_outside_the_range_is_broken(tmp_path, version, state):
    assert check_platform(tmp_path, version)[0].state == state


# --- packages ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "version", "fits"),
    [
        ('torch==2.13.0; extra == "train"', "2.13.0+cpu", True),
        ('torch==2.13.0; extra == "train"', "2.13", True),
        ('torch==2.13.0; extra == "train"', "2.13.1", False),
        ("numpy>=1.26", "2.4.6", True),
        ("numpy>=1.26", "1.9.3", False),
        ("numpy<3,>=1.26", "3.0", False),
        ("anything", "0.1", True),
    ],
)
def test_versions_are_compared_as_numbers(line, version, fits):
    assert parse_requirement(line).accepts(version) is fits


def test_requirement_keeps_its_extra():
    assert {need.extra for need in requirements() if need.name == "skops"} == {"predict"}
    assert {need.extra for need in requirements() if need.name == "click"} == {None}
    with pytest.raises(ValueError, match="is not a requirement"):
        parse_requirement("== 3 ==")


def versions(**known):
    return lambda name: known.get(name.replace("-", "_"))


def test_package_of_another_version_warns_with_the_pip_line(tmp_path):
    base = {"click": "8.2", "msgspec": "0.20", "numpy": "2.0", "pillow": "11", "psutil": "6"}
    checks = check_packages(tmp_path, versions(**base, torch="2.5.1"))
    torch = next(check for check in checks if check.name == "torch")
    assert (torch.state, torch.value) == ("warn", "2.5.1, known to work: ==2.13.0")
    assert torch.hint == install_line("train")
    assert "executorch" not in told(checks)  # not installed: told under its extra


def test_missing_base_package_is_broken(tmp_path):
    assert {check.state for check in check_packages(tmp_path, versions())} == {"broken"}


def test_missing_extra_names_the_pip_line(tmp_path):
    litert = next(c for c in check_extras(tmp_path, versions(torch="2.13.0")) if c.name == "[litert]")
    assert (litert.state, litert.hint) == ("missing", install_line("litert"))


# --- names -------------------------------------------------------------------------------------


def put(folder, *files):
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("Name: edgekit\nVersion: 4.2\n" if name.endswith("METADATA") else "")
    return str(folder)


def test_foreign_packages_of_our_names_are_told(tmp_path):
    ours = put(tmp_path / "ours", "edgekit/__init__.py", "runtime/__init__.py")
    project = put(tmp_path / "project", "runtime/__init__.py", "predictors/data.csv")
    stranger = put(tmp_path / "site", "edgekit/__init__.py", "edgekit-4.2.dist-info/METADATA")
    checks = check_names(tmp_path, [project, ours, stranger], home=tmp_path / "ours")
    assert [(check.name, check.state) for check in checks] == [
        ("edgekit-toolkit", "warn"),  # nothing of the three is installed as that
        ("edgekit", "warn"),
        ("package edgekit", "warn"),
        ("package runtime", "warn"),
    ]
    values = [check.value for check in checks]
    assert values[1].startswith(f"4.2 in {stranger} is another project")
    assert [value.split()[0] for value in values[2:]] == [
        f"{stranger}/edgekit/__init__.py",
        f"{project}/runtime/__init__.py",
    ]


def test_nothing_foreign_is_one_line(tmp_path):
    [check] = check_names(tmp_path, [str(tmp_path), str(HOME)])
    assert check.name == "edgekit-toolkit"


# --- engines -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "state", "value"),
    [
        ("print('noise'); print('loads')", "ok", "loads ("),
        ("print('none: no GPU')", "missing", "none: no GPU ("),
        ("import no_such_engine", "missing", "No module named 'no_such_engine'"),
        ("raise RuntimeError('broken build')", "warn", "RuntimeError: broken build"),
        ("import os; os.abort()", "warn", "crashes with signal 6"),
    ],
)
def test_every_end_of_an_engine_is_told(code, state, value):
    check = try_out(Trial("engine", "litert", code))
    assert check.state == state
    assert check.value.startswith(value)


def test_engine_that_hangs_is_told():
    check = try_out(Trial("engine", "litert", "import time; time.sleep(60)"), timeout_s=0.5)
    assert (check.state, check.value) == ("warn", "did not come up within 0.5 s")


# --- the whole ---------------------------------------------------------------------------------


def explode(root):
    raise PermissionError("no")


def fine(root):
    return (Check("a", "ok", "1"), Check("longer", "missing", "2", "do this"))


def test_section_that_fails_leaves_the_others(tmp_path):
    first, second = examine(tmp_path, {"bad": explode, "good": fine}).sections
    assert first.checks[0].value == "could not be examined: PermissionError: no"
    assert second == Section("good", fine(tmp_path))


def test_text_is_aligned_and_ends_with_a_summary():
    text = render(Diagnosis("0.1.0", (Section("Title", fine(None)),)))
    assert text.splitlines() == [
        "edgekit 0.1.0",
        "",
        "Title",
        "  ok       a       1",
        "  missing  longer  2",
        "                   -> do this",
        "",
        "1 ok, 1 missing. What is missing only narrows what you can do.",
    ]


def test_state_is_one_of_the_known():
    with pytest.raises(ValueError, match="state is 'good'; allowed: ok"):
        Check("a", "good", "")


@pytest.mark.parametrize(("version", "exit_code"), [((3, 11, 0), 0), ((3, 9, 0), 1)])
def test_command_exits_with_1_only_when_broken(monkeypatch, tmp_path, version, exit_code):
    found = examine(tmp_path, {"Python": lambda root: check_platform(root, version)})
    monkeypatch.setattr("edgekit.doctor.examine", lambda: found)
    assert CliRunner().invoke(cli, ["doctor"]).exit_code == exit_code
    shown = CliRunner().invoke(cli, ["doctor", "--json"])
    assert json.loads(shown.stdout)["sections"][0]["checks"][0]["name"] == "Python"


def test_real_machine_is_examined():
    light = {title: look for title, look in SECTIONS.items() if not title.startswith("Engines")}
    diagnosis = examine(sections=light)
    assert not diagnosis.is_broken
    assert [s.title for s in diagnosis.sections] == list(light)
    assert not any(c.name == "this section" for s in diagnosis.sections for c in s.checks)
