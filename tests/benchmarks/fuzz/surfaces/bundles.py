"""What stands in a bundle: manifest, workloads, policies, summaries of predictors, runs and profiles."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from runtime.bundle import Bundle
from runtime.bundle.names import slug
from runtime.choose.fitting.storage import load_fit
from runtime.choose.policy.policy import load_policy
from runtime.device.soc import load_profile
from runtime.govern.compiled.emit import emit_c
from runtime.govern.run.runs import save_run
from tests.benchmarks.fuzz.surface import Prepared, Sample, run_command, sign, surface
from tests.edgekit.report import tuned_bundle
from tests.edgekit.report.tuned_bundle import TARGET

Reader = Callable[[], object]


class TunedBundle:
    """A bundle that was benched, fitted, tuned and run; damaged in one file at a time, then whole again."""

    def __init__(self, folder: Path):
        self.path = folder / "digits.edgekit"
        bundle = tuned_bundle.write_bundle(self.path)
        records = tuned_bundle.bench(bundle)
        tuned_bundle.tune(tuned_bundle.add_fit(bundle), records)
        bundle = Bundle.open(self.path)
        save_run(bundle, tuned_bundle.run_result(load_policy(bundle, TARGET)))
        self.manifest = (self.path / "manifest.json").read_bytes()
        self.records = f"records/{slug(TARGET)}.jsonl"

    def sample(self, path: str, form: str = "json") -> Sample:
        """Return a file of it as a sample."""
        return Sample(path, (self.path / path).read_bytes(), form)

    def reader(self, commands: Sequence[Callable[[], object]]) -> Callable[[Sample, bytes], None]:
        """Return what puts a damaged file in its place, signed, and runs one of ``commands``."""

        def read(sample: Sample, data: bytes) -> None:
            if sample.name == "manifest.json" or sample.name == self.records:
                (self.path / sample.name).write_bytes(data)
            else:
                sign(self.path, sample.name, data)
            try:
                commands[zlib.crc32(data) % len(commands)]()
            finally:
                (self.path / sample.name).write_bytes(sample.data)
                (self.path / "manifest.json").write_bytes(self.manifest)

        return read

    def report(self) -> None:
        """Write the report."""
        run_command("report", self.path, "-o", self.path.parent / "out.html")

    def tune(self) -> None:
        """Tune it again."""
        run_command("tune", self.path, "--target", TARGET, "--fps", 30)

    def run(self) -> None:
        """Run some frames by its policy."""
        run_command("run", self.path, "--target", TARGET, "--frames", 3)


@surface("manifest", quick=60, share=2)
def manifest(folder: Path) -> Prepared:
    """The manifest, read by every command that takes a bundle."""
    made = TunedBundle(folder)
    show = [lambda: run_command("inspect", made.path)] * 6
    show += [lambda: run_command("inspect", made.path, "--json")] * 2
    return Prepared((made.sample("manifest.json"),), made.reader([*show, made.report, made.tune, made.run]))


@surface("workload", quick=15)
def workload(folder: Path) -> Prepared:
    """The table of what a frame costs."""
    made = TunedBundle(folder)
    samples = tuple(made.sample(f"workload-{name}.json") for name in tuned_bundle.FILES)
    show = [lambda: run_command("inspect", made.path)] * 6
    return Prepared(samples, made.reader([*show, made.report, made.tune, made.run]))


@surface("policy", quick=15, share=2)
def policy(folder: Path) -> Prepared:
    """A policy, followed, drawn, reported and written as C."""
    made = TunedBundle(folder)

    def emit() -> None:
        bundle = Bundle.open(made.path)
        chosen = load_policy(bundle, TARGET)
        try:
            emit_c(bundle, chosen, load_profile("gs101"), folder / "c")
        except ValueError as err:  # as the command line answers it
            raise click.UsageError(str(err)) from err

    def plot() -> None:
        run_command("plot", made.path, "--target", TARGET, "-o", folder / "frontier.svg")

    commands = [*[emit] * 4, *[made.run] * 3, plot, made.report]
    sample = made.sample(f"policies/{slug(TARGET)}.json")
    return Prepared((sample,), made.reader(commands))


@surface("fit", quick=10)
def fit_summary(folder: Path) -> Prepared:
    """The summary of a predictor."""
    made = TunedBundle(folder)
    load: Reader = lambda: load_fit(Bundle.open(made.path), TARGET)  # noqa: E731
    return Prepared(
        (made.sample(f"predictors/{slug(TARGET)}.json"),), made.reader([load, load, made.report, made.tune])
    )
