"""A whole flow on other machines: behind a real sshd on loopback, and on an emulated phone."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from runtime.choose.tuning.tune import tune_bundle
from runtime.device.emulation.namespace import probe
from runtime.device.soc import load_profile
from runtime.flow.frames import as_frames
from tests.places import ROOT
from tests.runtime.phone import Phone, make_records
from tests.runtime.small_flow import make_flow

WHOLE = "flow:litert-fp32"


def invoke(*arguments):
    done = CliRunner().invoke(cli, [*map(str, arguments), "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def check(bundle, target, provenance, *where):
    """Run and bench the flow on ``target``; its graphs run there, what stands around them here."""
    here = invoke("run", bundle.path, "--bars", 3, "--seed", 7)
    there = invoke("run", bundle.path, "--target", target, "--bars", 3, "--seed", 7)
    assert (there["target"], there["provenance"], there["steps"]) == (target, provenance, 12)
    assert there["results"] == here["results"]  # the same tune
    ran = {part["name"]: (part["runs"], part["provenance"]) for part in there["parts"]}
    assert (ran["bar"], ran["note"]) == ((3, provenance), (12, provenance))
    assert ran["pre-step"][1] == "measured on the host"
    asked = ("--variant", WHOLE, "--runs", 3, "--blocks", 1, "--warmup", 1, *where)
    (record,) = invoke("bench", bundle.path, "--target", target, *asked)
    assert record["variant"] == WHOLE
    graphs_ms = sum(part["latency_ms"] for part in record["flow"]["parts"] if part["runs"] > 1)
    assert 0 < graphs_ms <= 1.5 * min(record["samples_ms"]) + 1
    assert "without pre-step and post-step" in record["flow"]["frame"]


def test_a_flow_over_ssh(phone, tmp_path):
    check(make_flow(tmp_path), "ssh:phone", "measured", "--cluster", "cpu", "--freq-khz", 1803000)
    assert len(list((phone.home / "objects").iterdir())) == 1  # two files of the same bytes


@pytest.mark.slow
def test_a_flow_on_an_emulated_phone(tmp_path, capfd):
    ok, reason = probe()
    if not ok:
        pytest.skip(reason)
    bundle = make_flow(tmp_path)
    check(bundle, "emulated:gs101", "emulated", "--cluster", "big", "--freq-khz", 2850000)
    inside = (
        "bench",
        bundle.path,
        "--variant",
        WHOLE,
        "--cluster",
        "big",
        "--freq-khz",
        2850000,
    )
    edgekit = [sys.executable, "-m", "edgekit", "emulate", "gs101", "--", sys.executable, "-m", "edgekit"]
    asked = [*map(str, inside), "--runs", "3", "--blocks", "1", "--json"]
    done = subprocess.run([*edgekit, *asked], cwd=ROOT, capture_output=True, text=True, check=True)
    parts = {part["name"]: part for part in json.loads(done.stdout)[0]["flow"]["parts"]}
    assert {part["provenance"] for part in parts.values()} == {"emulated"}  # what stands around them, too
    gs101 = Phone("emulated:gs101", "emulated", load_profile("gs101"))
    frames = as_frames(bundle)
    records = make_records(frames, gs101, variants=[WHOLE])
    tune_bundle(frames, gs101, 4, records=records, variants=[WHOLE])
    govern = ("govern", bundle.path, "--target", "emulated:gs101", "--frames", 4, "--json")
    assert CliRunner().invoke(cli, [*map(str, govern)]).exit_code == 0
    governed = json.loads(capfd.readouterr().out)  # printed by the machine's own program
    assert (governed["status"], governed["frames"], governed["provenance"]) == (0, 4, "emulated")
