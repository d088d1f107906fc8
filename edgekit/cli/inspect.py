"""``edgekit inspect``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgekit.cli import _options as options
from edgekit.cli._bundle import print_graph, print_task, print_variants, print_workload
from edgekit.cli._output import note, print_json, print_table, say
from edgekit.cli._progress import Steps
from runtime.visible import one_line


@click.command()
@options.bundle_argument
@options.open_shape_option
@options.output_options
def inspect(bundle: Path, input_shapes: Any, as_json: bool) -> None:
    """Show what a bundle or model file holds: inputs, variants, work per frame, origin.

    BUNDLE is a .edgekit folder, of which every byte is checked, or a .tflite or .pte file.

    \b
    Example:
      edgekit inspect model.edgekit
      edgekit inspect model.tflite
    """
    from edgekit.api.bundle import load

    with Steps() as steps:
        steps.wait_for(f"reading {bundle}")
        found = load(bundle, input_shapes).inspect()
    if found.remark is not None:
        note(found.remark)
    opened, manifest = found.bundle, found.manifest
    if as_json:
        print_json(manifest)
        return
    made = f", made {manifest.created_utc}" if manifest.created_utc else ""
    say(f"{one_line(manifest.name)}{one_line(made)}\n")
    for name, graph in manifest.graphs.items():
        if len(manifest.graphs) > 1:
            say(f"{one_line(name)}:")
        print_graph(graph, found.shape)
    print_task(manifest.task)
    labels = opened.labels()
    if labels is not None:
        say(f"labels: {len(labels)} ({one_line(', '.join(labels[:3]))}, ...)")
    say()
    print_variants(opened)
    print_workload(opened)
    say("\nprovenance:")
    print_table(["what", "value"], list(_flat(manifest.source)) + sorted(manifest.toolchain.items()))
    say("\nfiles:")
    print_table(
        ["path", "kind", "bytes", "sha256"],
        [(f.path, f.kind, f.size_bytes, f.sha256[:16]) for f in manifest.files],
    )


def _flat(value: Any, prefix: str = "") -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [
            row for key, inner in value.items() for row in _flat(inner, f"{prefix}.{key}" if prefix else key)
        ]
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return [(prefix, text[:16] if prefix.endswith("sha256") else text)]  # as in the table of files
