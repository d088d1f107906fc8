"""``import edgekit`` is light and lazy, and its ``export`` is a package and a function at once."""

import json
import subprocess
import sys

import pytest

import edgekit
from tests.places import ROOT

HEAVY = {"torch", "sklearn", "numpy", "litert_torch", "executorch", "pandas"}


def shown(code):
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    return result.stdout.splitlines()[-1]


def test_importing_and_listing_it_loads_nothing_heavy():
    code = "import edgekit, json, sys; dir(edgekit); edgekit.measure; print(json.dumps(list(sys.modules)))"
    assert {name.partition(".")[0] for name in json.loads(shown(code))} & HEAVY == set()


def test_export_is_called_and_imported_from_whichever_comes_first():
    code = """
import inspect, sys
for first in (
    "import edgekit.export.findings",
    "from edgekit.export import findings",
    "import edgekit; edgekit.load; edgekit.export; import edgekit.export.findings",
    "import edgekit.cli; from edgekit import export; import edgekit.export.findings",
):
    for name in [name for name in sys.modules if name.partition(".")[0] == "edgekit"]:
        del sys.modules[name]
    exec(first)
    import edgekit
    assert edgekit.export is sys.modules["edgekit.export"], first
    assert edgekit.export.findings.Finding and edgekit.export.export_bundle, first
    assert list(inspect.signature(edgekit.export).parameters)[:2] == ["model", "example_inputs"], first
    try:
        edgekit.export("no_such_model", engines=["litert"])
    except ValueError as err:
        print(err)
"""
    assert "no_such_model" in shown(code)


def test_an_unknown_name_says_which_there_are():
    with pytest.raises(AttributeError, match=r"no attribute 'tunes'; it has .* tune"):
        _ = edgekit.tunes


def test_without_torch_the_line_that_installs_it_is_said():
    code = """
import sys
sys.modules["torch"] = None
import edgekit, edgekit.api.export
from runtime.errors import MissingExtra
uses = (lambda: edgekit.export, lambda: edgekit.Preprocess, lambda: edgekit.api.export.export("resnet20"))
found = []
for use in uses:
    try:
        use()
    except MissingExtra as err:
        found.append("torch is not installed; run: pip install" in str(err))
print(found)
"""
    assert shown(code) == "[True, True, True]"
