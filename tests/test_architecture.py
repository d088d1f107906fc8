"""The house keeps its rules: imports go one way, light things stay light, public names are real."""

import importlib
import json
import re
import resource
import subprocess
import sys
from graphlib import TopologicalSorter

import grimp
import pytest

from tests.places import ROOT

PACKAGES = ("edgekit", "runtime", "predictors")
HEAVY = {"torch", "sklearn", "scipy", "executorch", "litert_torch", "torchao", "ai_edge_litert", "skops"}
HEAVY |= {"ray", "yaml", "devlib", "PIL", "joblib", "websockets"}
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def python(*arguments):
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )


def loaded_by(statement):
    shown = python("-c", f"{statement}\nimport json, sys\nprint()\nprint(json.dumps(list(sys.modules)))")
    return {name.partition(".")[0] for name in json.loads(shown.stdout.splitlines()[-1])}


def test_imports_go_one_way():
    importlinter = pytest.importorskip("importlinter.cli", reason="pip install -e '.[dev]'")
    assert importlinter.lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


def test_no_files_import_each_other_in_a_circle():
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    below = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    tuple(TopologicalSorter(below).static_order())  # raises CycleError, which names the files


@pytest.mark.parametrize(
    "statement",
    [
        "import runtime",
        "import runtime.bundle, runtime.measure.records, runtime.processing.inputs",
        "import runtime.engines, runtime.targets, runtime.measure.bench",
        "import runtime.govern.run.run, runtime.govern.governor",
        "import edgekit.cli; edgekit.cli.cli(['--help'], standalone_mode=False)",
        "import edgekit.cli; edgekit.cli.cli(['report', '--help'], standalone_mode=False)",
    ],
)
def test_light_things_load_nothing_heavy(statement):
    assert loaded_by(statement) & HEAVY == set()


def test_a_device_runs_and_governs_bundles_without_numpy():
    rooms = ["targets.agent.__main__", "measure.bench", "govern.run.run", "choose.decision", "engines.worker"]
    rooms += ["govern.governor", "device.meters"]
    imports = ", ".join(f"runtime.{room}" for room in rooms)
    load = "from runtime.device.soc import load_profile; load_profile('exynos5422')"
    statement = f"import edgekit.cli.govern, edgekit.cli.run, {imports}; {load}"
    assert loaded_by(statement) & (HEAVY | {"numpy"}) == set()


def test_predictors_load_no_torch():
    assert loaded_by("import predictors") & {"torch", "executorch", "litert_torch"} == set()


def test_help_is_shown_within_300_ms():
    def seconds():
        """Return the processor's time: the clock on the wall also counts what else runs here."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        python("-m", "edgekit", "--help")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(5)) < 0.3


@pytest.mark.parametrize("path", [p for p in SOURCES if p.name == "__init__.py"], ids=lambda p: p.parent.name)
def test_public_names_are_real(path):
    name = ".".join(path.parent.relative_to(ROOT).parts)
    package = importlib.import_module(name)
    public = getattr(package, "__all__", ())
    assert len(set(public)) == len(public)
    assert [one for one in public if not hasattr(package, one)] == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_file_outgrows_300_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


def test_commands_stay_short():
    commands = (ROOT / "edgekit" / "cli").glob("[!_]*.py")
    assert [p.name for p in commands if len(p.read_text().splitlines()) > 70] == []


def test_no_file_is_unpickled():
    words = ("pickle.load", "Unpickler(", "joblib.load", "weights_only=False", "allow_pickle=True")
    texts = {path: path.read_text(encoding="utf-8") for path in SOURCES}
    assert [f"{path}: {word}" for path, text in texts.items() for word in words if word in text] == []


def test_tests_take_their_helpers_from_modules_without_tests():
    files = (ROOT / "tests").rglob("*.py")
    borrowed = re.compile(r"^\s*(from|import) tests\.(\w+\.)*test_", re.MULTILINE)
    assert [path for path in files if borrowed.search(path.read_text(encoding="utf-8"))] == []
