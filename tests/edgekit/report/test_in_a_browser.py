"""The page as a browser lays it out; skipped where there is none (`apt-get install chromium`)."""

import pytest

from edgekit.report import render_report
from runtime.measure.frame_log import FrameLine, GovernedLog, Header
from runtime.measure.profiling.kept import keep_profile
from runtime.measure.profiling.profile import OpTime, Profile
from runtime.measure.records import RecordLog
from tests.edgekit.report.browser import laid_out, needs_browser
from tests.edgekit.report.tuned_bundle import FALLBACK, add_fit, bench, measured, tune

pytestmark = needs_browser


@pytest.fixture
def page(make_bundle, tmp_path):
    """Return a report with every part and with names as long as they get."""
    long_name = "very_long_module_name_without_any_space." * 4
    bundle = make_bundle(name="a" * 90, delegations={"litert-fp32": FALLBACK})
    bundle = add_fit(tune(bundle, bench(bundle)))
    RecordLog(bundle.path / "records" / "local.jsonl").append(measured(bundle, [4.0 + i for i in range(30)]))
    op = OpTime("Convolution", "conv2d", long_name, None, 1.0, 1.0, 0.5, "XNNPACK", 9, 9, 0.0, 1.0)
    keep_profile(bundle, Profile("litert-fp32", "litert", "ai-edge-litert 2.3.0", 1, 9, 2.0, 2.0, (op,), 2.0))
    with GovernedLog(tmp_path / "run.jsonl", Header("emulated:gs101", "emulated", 20.0, 50.0)) as log:
        for number in range(40):
            log.write(FrameLine(number / 20, 30.0, False, "mid", 1_663_000, 200.0, 6.0, trusted=True))
    return render_report(bundle, timelines=[tmp_path / "run.jsonl"])


@pytest.mark.parametrize("width", [360, 390, 768, 1280])
def test_nothing_lies_outside_the_page(page, tmp_path, width):
    assert laid_out(page, width, tmp_path) == {"scroll": width, "outside": []}
