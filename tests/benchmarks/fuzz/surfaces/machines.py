"""What says what a machine is: SoC files, what a phone prints, notes of what to restore."""

from __future__ import annotations

from pathlib import Path

import msgspec

from runtime.device.actuators import Journal
from runtime.device.actuators.restore import restore
from runtime.device.actuators.states import GroupState, PolicyState
from runtime.device.meters.dumpsys import parse_battery, parse_thermalservice
from runtime.device.soc import loader
from runtime.targets.adb.conditions import AdbConditions
from runtime.targets.adb.facts import read_facts
from runtime.targets.adb.shell import AdbShell
from tests.benchmarks.fuzz.surface import Prepared, Sample, run_command, surface

_TABLE = b"""name: Toy
example_board: Board
source: measured here
clusters:
  - name: little
    core: cortex-a55
    cpus: [0, 1, 2, 3]
    capacity_dmips_mhz: 300
    dynamic_power_coefficient: 100
    opps:
      - {khz: 300000, microvolt: 600000, power_mw: 12.5, coremark: 900.0}
      - {khz: 900000, microvolt: 700000, power_mw: 50.5, coremark: 2900.0}
  - name: big
    measured_cpu: 4
    coremarks_per_mhz: 6.1
    core_opps:
      - {khz: 500000, power: 120, capacity: 500}
    cluster_opps:
      - {khz: 500000, power: 10}
"""
_CPU = "/sys/devices/system/cpu"
_PHONE = {
    f"{_CPU}/online": "0-3",
    f"{_CPU}/cpu0/cpu_capacity": "250",
    f"{_CPU}/cpu2/cpu_capacity": "1024",
    **{
        f"{_CPU}/cpufreq/policy{first}/{name}": text
        for first, cpus in ((0, "0 1"), (2, "2 3"))
        for name, text in {
            "related_cpus": cpus,
            "scaling_available_frequencies": "300000 900000 1800000",
            "scaling_available_governors": "schedutil userspace performance",
            "scaling_cur_freq": "900000",
            "scaling_governor": "schedutil",
            "scaling_max_freq": "1800000",
            "scaling_min_freq": "300000",
            "cpuinfo_max_freq": "1800000",
            "cpuinfo_min_freq": "300000",
        }.items()
    },
    "/proc/sys/kernel/random/boot_id": "5b1e",
    "/proc/cpuinfo": "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd05\n\nprocessor\t: 2",
    "/proc/self/status": "Name:\tcat\nCpus_allowed_list:\t0-3",
    "getprop": "[ro.product.model]: [Pixel 6]\n[ro.soc.model]: [Tensor]\n[ro.build.version.release]: [15]",
    "uname": "aarch64\n5.10.198",
    "taskset": "/system/bin/taskset",
}
_NOW = {
    "/sys/class/thermal/thermal_zone0/type": "BIG",
    "/sys/class/thermal/thermal_zone0/temp": "43500",
    "/sys/class/thermal/cooling_device0/cur_state": "1",
    "/sys/class/power_supply/battery/type": "Battery",
    "/sys/class/power_supply/battery/capacity": "81",
    "/sys/class/power_supply/battery/status": "Charging",
    "/proc/stat": "cpu  1 0 1 9 0 0 0 0 0 0\ncpu2 1 0 1 9 0 0 0 0 0 0",
    f"{_CPU}/cpufreq/policy2/scaling_cur_freq": "900000",
    "dumpsys battery": "Current Battery Service state:\n  status: 2\n  level: 81\n  voltage: 4123",
    "dumpsys thermalservice": "Thermal Status: 0\nTemperature{mValue=43.5, mType=0, mName=BIG, mStatus=0}",
}


@surface("soc", quick=200, share=4)
def soc(folder: Path) -> Prepared:
    """SoC files in TOML and YAML, shown and opened as targets."""
    samples = [Sample("table.yaml", _TABLE, "text")]
    samples += [
        Sample(f"{name}.toml", (loader._FOLDER / f"{name}.toml").read_bytes(), "text")
        for name in ("kirin960", "gs101")
    ]

    def read(sample: Sample, data: bytes) -> None:
        path = folder / sample.name
        path.write_bytes(data)
        run_command("targets", "show", path if len(data) % 3 else f"virtual:{path}")

    return Prepared(tuple(samples), read)


class _Phone(AdbShell):
    """Prints what it is told to."""

    def __init__(self) -> None:
        self.serial, self.text = "TOY", ""

    def run(self, command: str, **ignored: object) -> str:
        return self.text


@surface("adb", quick=60, share=2)
def adb(folder: Path) -> Prepared:
    """What a phone prints about itself and about now."""
    phone = _Phone()
    facts, now = (
        "".join(f"@@ {name}\n{text}\n" for name, text in sections.items()).encode()
        for sections in (_PHONE, _NOW)
    )
    phone.text = facts.decode()
    domains = read_facts(phone).policies
    samples = (Sample("facts", facts, "text"), Sample("now", now, "text"))

    def read(sample: Sample, data: bytes) -> None:
        phone.text = data.decode(errors="replace")
        if sample.name == "facts":
            read_facts(phone)
        else:
            AdbConditions(phone, domains[-1], (2, 3), as_root=False).read()
            parse_battery(phone.text), parse_thermalservice(phone.text)

    return Prepared(samples, read)


@surface("journal", quick=100, share=4)
def journal(folder: Path) -> Prepared:
    """Notes of what to restore: they name files that are written as root."""
    kept = Journal(folder / "edgekit")
    states = [
        PolicyState(
            f"{folder}/sys/devices/system/cpu/cpufreq/policy0", "schedutil", 300_000, 1_800_000, 900_000
        ),
        GroupState(f"{folder}/sys/fs/cgroup/toy", {"cpu.uclamp.min": "0.00"}),
    ]
    samples = []
    (folder / "sys/fs/cgroup/toy").mkdir(parents=True)
    (folder / "sys/fs/cgroup/toy/cpu.uclamp.min").write_text("5.00")
    for state in states:
        path = kept.write(state)
        entry = msgspec.json.decode(path.read_bytes()) | {"pid": 4_194_303}
        samples.append(Sample(path.name, msgspec.json.encode(entry), "json"))
        path.unlink()

    def read(sample: Sample, data: bytes) -> None:
        path = kept.folder / sample.name
        path.write_bytes(data)
        try:
            restore(kept, dry_run=bool(len(data) % 2))
        finally:
            path.unlink(missing_ok=True)

    return Prepared(tuple(samples), read)
