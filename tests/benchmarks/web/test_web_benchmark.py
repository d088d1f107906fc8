"""The table of errors and savings comes out of kept records, compressed ones too."""

import gzip
import json

import msgspec
import pytest
from click.testing import CliRunner

from runtime.web.learning.pages import write_pages
from tests.benchmarks.web.__main__ import main
from tests.runtime.web.learning.gestures import world

SDM845 = (("little", 576000), ("little", 1766400), ("big", 825600), ("big", 1766400), ("big", 2803200))


@pytest.mark.slow
def test_figures_of_two_socs_come_out(tmp_path):
    records, known = world(n_pages=24, n_families=8)
    there, _ = world(n_pages=24, n_families=8, target="emulated:sdm845", slow=1.3, settings=SDM845)
    lines = b"".join(msgspec.json.encode(record) + b"\n" for record in (*records, *there))
    (tmp_path / "r.jsonl.gz").write_bytes(gzip.compress(lines))
    write_pages(tmp_path / "pages.jsonl", known.values())
    report = tmp_path / "web.json"
    done = CliRunner().invoke(
        main,
        [str(tmp_path / "r.jsonl.gz"), "--pages", str(tmp_path / "pages.jsonl"), "--learner", "ridge",
         "--target-fps", "45", "--json", str(report)],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    summary = json.loads(report.read_text())["summary"]
    assert summary["pages"] == 24
    assert summary["fps_mape_pct"] < 5
    assert summary["run"]["mae_gain_pct"] > 50
    assert summary["repeat_error_pct"] > 0
    assert summary["energy_saved_vs_interactive_pct"] > 0
    assert summary["oracle_violation_pct"] <= summary["qos_violation_pct"]
    assert summary["port_added_pct"] < 7
