"""``edgekit inspect``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgekit.cli import _options as options
from edgekit.cli._bundle import print_graph, print_variants, print_workload
from edgekit.cli._output import note, print_json, print_table


@click.command()
@options.bundle_argument
@options.json_option
def inspect(bundle: Path, as_json: bool) -> None:
    """Show what BUNDLE, or a .tflite or .pte file, holds; every byte of a bundle is checked."""
    from edgekit.api.bundle import load

    found = load(bundle).inspect()
    if found.remark is not None:
        note(found.remark)
    opened, manifest = found.bundle, found.manifest
    if as_json:
        print_json(manifest)
        return
    click.echo(f"{manifest.name}, made {manifest.created_utc}\n")
    for name, graph in manifest.graphs.items():
        if len(manifest.graphs) > 1:
            click.echo(f"{name}:")
        print_graph(graph)
    labels = opened.labels()
    if labels is not None:
        click.echo(f"labels: {len(labels)} ({', '.join(labels[:3])}, ...)")
    click.echo()
    print_variants(opened)
    print_workload(opened)
    click.echo("\nprovenance:")
    print_table(["what", "value"], list(_flat(manifest.source)) + sorted(manifest.toolchain.items()))
    click.echo("\nfiles:")
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
    return [(prefix, text if len(text) <= 72 else f"{text[:70]} ...")]
