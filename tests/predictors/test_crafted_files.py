"""No file that calls itself a predictor ends this process, or is answered in words that are not ours."""

import json
import subprocess
import sys

import pytest

from tests.places import ROOT


@pytest.mark.parametrize(("seed", "tries"), [(1, 60), pytest.param(2, 1500, marks=pytest.mark.slow)])
def test_crafted_predictors_are_refused_or_predict(seed, tries):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.predictors.crafted_files", str(seed), str(tries)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    ends = json.loads(done.stdout)
    assert not [end for end in ends if end.startswith("raw")]
    assert ends["refused"] > tries / 3
    assert ends["taken"] > 0
