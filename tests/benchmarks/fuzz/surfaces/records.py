"""What measuring wrote: records, runs, kept profiles and logs of governed runs."""

from __future__ import annotations

from pathlib import Path

from runtime.bundle import Bundle
from runtime.measure.frame_log import FrameLine, GovernedLog, Header
from runtime.measure.profiling.kept import keep_profile
from runtime.measure.profiling.profile import OpTime, Profile
from tests.benchmarks.fuzz.surface import Prepared, Sample, run_command, surface
from tests.benchmarks.fuzz.surfaces.bundles import TunedBundle
from tests.edgekit.report import tuned_bundle
from tests.edgekit.report.tuned_bundle import TARGET

_FORMATS = ("csv", "pytest-benchmark", "trace", "benchmark-model")


@surface("records", quick=15, share=2)
def records(folder: Path) -> Prepared:
    """Records, shown, converted, learnt from, compared and reported."""
    made = TunedBundle(folder)
    path = made.path / made.records
    lines = path.read_bytes().splitlines(keepends=True)[:12]
    path.write_bytes(b"".join(lines))
    whole = folder / "before.jsonl"
    whole.write_bytes(b"".join(lines))
    show = [lambda: run_command("records", path)] * 3 + [lambda: run_command("records", path, "--json")]
    convert = [
        lambda f=f: run_command("records", path, "--format", f, "-o", folder / "out") for f in _FORMATS
    ]
    compare = [lambda: run_command("compare", whole, path)] * 2
    use = [made.report, made.tune, lambda: run_command("bench", made.path, "--target", TARGET, "--every", 40)]
    return Prepared((made.sample(made.records, "jsonl"),), made.reader([*show, *convert, *compare, *use]))


@surface("learning", quick=0, share=1)
def learning(folder: Path) -> Prepared:
    """Records that predictors are fitted to: six kinds of regressors, a second each time."""
    made = TunedBundle(folder)
    path = made.path / made.records
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:24]))
    fit = lambda: run_command("fit", made.path, "--target", TARGET)  # noqa: E731
    return Prepared((made.sample(made.records, "jsonl"),), made.reader([fit]))


@surface("runs", quick=4)
def runs(folder: Path) -> Prepared:
    """The last run and the last profile of a bundle, which lie beside its records."""
    made = TunedBundle(folder)
    op = OpTime("CONV_2D", "conv2d", "stem", 0, 1.0, 1.0, 0.5, "XNNPACK profiler", 10, 20, 0.0, 1.0)
    profile = Profile("litert-fp32", "litert", "2.3", 1, 3, 2.0, 2.1, (op, op), 2.0, (), TARGET)
    kept = keep_profile(Bundle.open(made.path), profile)
    names = (f"runs/{kept.name.split('.')[0]}.json", f"profiles/{kept.name}")
    samples = tuple(made.sample(name) for name in names)

    def read(sample: Sample, data: bytes) -> None:
        (made.path / sample.name).write_bytes(data)
        try:
            made.report()
        finally:
            (made.path / sample.name).write_bytes(sample.data)

    return Prepared(samples, read)


@surface("frame-log", quick=40)
def frame_log(folder: Path) -> Prepared:
    """The log of a governed run, drawn."""
    path = folder / "frames.jsonl"
    with GovernedLog(path, Header("local", "measured", 30.0, 33.3, deadline_ms=33.3)) as log:
        for i in range(6):
            log.write(FrameLine(i / 30, 20.0 + i, i == 3, "big", 1_000_000, 300.0, 6.0, True, "it heats"))
    sample = Sample("frames", path.read_bytes(), "jsonl")
    bundle = tuned_bundle.write_bundle(folder / "digits.edgekit")

    def read(sample: Sample, data: bytes) -> None:
        path.write_bytes(data)
        if len(data) % 4:
            run_command("plot", path, "-o", folder / "out.svg")
        else:
            run_command("report", bundle.path, "--timeline", path, "-o", folder / "out.html")

    return Prepared((sample,), read)
