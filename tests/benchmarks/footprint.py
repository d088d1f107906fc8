"""What running a model costs in disk and memory: our light installs beside ``executorch.runtime`` of Python.

Installs each into a fresh folder with pip; sizes are those of the folders, without pip and byte code.
Resident memory is that of the process and its worker after a small model ran twenty times::

    python -m tests.benchmarks.footprint --json footprint.json
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from runtime.engines.native import find_runner
from tests.benchmarks._table import show, write_report
from tests.places import DATA, ROOT
from tests.runtime.tflite_builder import write_doubling_conv

PTE = DATA / "sum.pte"
IMPORTS = 9
HEADERS = {
    "name": "installed",
    "size_mb": "disk MB",
    "size_target_mb": "promise",
    "import_s": "import s",
    "import_rss_mb": "RSS MB",
    "owner_rss_mb": "+ run",
    "worker_rss_mb": "worker",
    "largest_mb": "largest MB",
}


@dataclass(frozen=True)
class Case:
    """One way to install; ``size_target_mb`` is what we promise."""

    name: str
    packages: tuple[str, ...]
    engine: str | None
    size_target_mb: int | None
    with_runner: bool = False


LITE, SKLEARN, TORCH = "ai-edge-litert==2.3.0", ("scikit-learn==1.9.1", "skops"), ("torch==2.13.0",)
CASES = (
    Case("LiteRT", (LITE,), "litert", 150),
    Case("native ExecuTorch runner", (), "executorch", 60, with_runner=True),
    Case("LiteRT and scikit-learn", (LITE, *SKLEARN), "litert", 350),
    Case("executorch.runtime (torch)", ("executorch==1.5.1", *TORCH), "executorch", None),
)
_RSS = """
import sys, psutil
from runtime.engines import EngineProcess, random_inputs
with EngineProcess(sys.argv[1], sys.argv[2]) as model:
    model.sample(random_inputs(model.inputs), warmup=0, runs=20)
    print(psutil.Process().memory_info().rss, psutil.Process(model.pid).memory_info().rss)
"""
_IMPORT = """
import time
begin = time.perf_counter()
import runtime
duration_s = time.perf_counter() - begin
rss = [line for line in open("/proc/self/status") if line.startswith("VmRSS")][0].split()[1]
print(duration_s, int(rss) * 1024)
"""


@dataclass(frozen=True)
class Footprint:
    """What one install takes; ``None`` where nothing was run."""

    name: str
    size_mb: float
    size_target_mb: int | None
    largest_mb: dict[str, float]
    import_s: float
    import_rss_mb: float
    owner_rss_mb: float | None
    worker_rss_mb: float | None

    @property
    def holds(self) -> bool:
        """Whether what we promise is true."""
        is_small = self.size_target_mb is None or self.size_mb <= self.size_target_mb
        return is_small and self.import_s < 0.3 and self.import_rss_mb < 60


def measure(case: Case, folder: Path, index: tuple[str, ...] = ()) -> Footprint:
    """Install ``case`` into ``folder``, look at it and remove it."""
    packages = folder / "packages"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", *index]
    subprocess.run([*command, f"--target={packages}", str(_source(folder)), *case.packages], check=True)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(packages), "PYTHONDONTWRITEBYTECODE": "1"}
    if case.with_runner:
        found = find_runner()
        if found.runner is None:
            raise SystemExit(f"no native runner: {found.reason}")
        shutil.copytree(found.runner.folder, packages / "edgekit-runner")
        environment["EDGEKIT_NATIVE_RUNNER"] = str(packages / "edgekit-runner")
    sizes = {entry.name: _size_mb(entry) for entry in packages.iterdir()}
    largest = dict(sorted(sizes.items(), key=lambda item: -item[1])[:6])

    def python(code: str, *arguments: object) -> list[float]:
        words = [sys.executable, "-S", "-c", code, *map(str, arguments)]
        done = subprocess.run(words, env=environment, cwd=folder, capture_output=True, text=True, check=True)
        return [float(word) for word in done.stdout.split()]

    environment.pop("PYTHONDONTWRITEBYTECODE")
    python(_IMPORT)  # compiles: a device does that once
    imports = [python(_IMPORT) for _ in range(IMPORTS)]
    model = PTE if case.engine == "executorch" else write_doubling_conv(folder / "double.tflite")
    rss = [size / 1e6 for size in python(_RSS, case.engine, model)] if case.engine else [None, None]
    return Footprint(
        case.name,
        sum(sizes.values()),
        case.size_target_mb,
        largest,
        statistics.median(duration_s for duration_s, _ in imports),
        statistics.median(size for _, size in imports) / 1e6,
        *rss,
    )


def _source(folder: Path) -> Path:
    """Return a copy of the tree: building in place would leave folders behind."""
    copy = folder / "source"
    copy.mkdir()
    for name in ("edgekit", "runtime", "predictors"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    return copy


def _size_mb(path: Path) -> float:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.lstat().st_blocks * 512 for file in files) / 1e6


def main() -> None:
    """Measure every case, print a table and write the JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", help="cases whose name holds this")
    parser.add_argument(
        "--index-url", help="where pip takes packages from, such as the one of torch for CPUs"
    )
    asked = parser.parse_args()
    index = ("--extra-index-url", asked.index_url) if asked.index_url else ()
    found = []
    for case in CASES:
        if asked.only and asked.only not in case.name:
            continue
        with tempfile.TemporaryDirectory() as folder:
            found.append(measure(case, Path(folder), index))
    rows = [asdict(one) | {"holds": one.holds} for one in found]
    largest = [", ".join(f"{name} {size:.0f}" for name, size in one.largest_mb.items()) for one in found]
    show(HEADERS, [row | {"largest_mb": text} for row, text in zip(rows, largest, strict=True)])
    summary = {one.name: {"size_mb": one.size_mb, "holds": one.holds} for one in found}
    write_report(asked.json, "footprint", rows, summary)
    sys.exit(0 if all(one.holds for one in found) else 3)


if __name__ == "__main__":
    main()
