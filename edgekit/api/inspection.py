"""What a bundle holds, as values and as text."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.api.table import lay_out
from runtime.bundle import Bundle, Manifest, TensorSpec, Variant
from runtime.engines.model_file import ModelFile, with_delegation
from runtime.engines.tflite_shapes import shown_shape
from runtime.errors import DeviceError, MissingExtra


@dataclass(frozen=True)
class Inspection:
    """What a bundle holds; printed, or shown by a notebook, it is a short text.

    Attributes:
        bundle: that was looked at; of a bare ``.tflite`` with what its delegate takes here.
        remark: what the name of a variant hides, or what could not be found out, and why; ``None``: nothing.
    """

    bundle: Bundle
    remark: str | None

    @property
    def manifest(self) -> Manifest:
        """Everything known: graphs, variants with delegation, parity and quantisation, files, provenance."""
        return self.bundle.manifest

    @property
    def variants(self) -> tuple[str, ...]:
        """Names of the variants."""
        return tuple(variant.name for variant in self.manifest.variants)

    def __repr__(self) -> str:
        made = f", made {self.manifest.created_utc}" if self.manifest.created_utc else ""
        lines = [f"{self.manifest.name}{made}"]
        for name, graph in self.manifest.graphs.items():
            where = f" of {name}" if len(self.manifest.graphs) > 1 else ""
            lines += [f"in{where}:  {self._tensor(spec)}" for spec in graph.inputs]
            lines += [f"out{where}: {self._tensor(spec)}" for spec in graph.outputs]
        labels = self.bundle.labels()
        if labels:
            lines.append(
                f"labels: {len(labels)} ({', '.join(labels[:3])}{', ...' if len(labels) > 3 else ''})"
            )
        sizes = {entry.path: entry.size_bytes for entry in self.manifest.files}
        headers = ("variant", "MB", "ops in delegates", "max error", "file")
        rows = [_row(variant, sizes[variant.path]) for variant in self.manifest.variants]
        lines += ["", *lay_out(headers, rows, None).lines]
        return "\n".join([*lines, f"\n{self.remark}"] if self.remark else lines)

    def shape(self, spec: TensorSpec) -> str:
        """Return the shape of an input or output, with ? for sides that the file leaves open."""
        open_axes = self.bundle.open_axes if isinstance(self.bundle, ModelFile) else {}
        return shown_shape(spec, open_axes.get(spec.name, ()))

    def _tensor(self, spec: TensorSpec) -> str:
        picture = "" if spec.image is None else f", a photograph ({spec.image.layout})"
        return f"{spec.name} {spec.dtype} {self.shape(spec)}{picture}"


def inspect_bundle(bundle: Bundle) -> Inspection:
    """Return what ``bundle`` holds."""
    remarks = [*bundle.remarks, *bundle.unknown_shapes.values()] if isinstance(bundle, ModelFile) else []
    try:
        bundle = with_delegation(bundle)
    except (DeviceError, MissingExtra) as err:
        remarks.append(f"what its delegate takes is unknown: {err}")
    return Inspection(bundle, "\n".join(remarks) or None)


def _row(variant: Variant, size_bytes: int) -> tuple[object, ...]:
    delegation, parity = variant.delegation, variant.parity
    ops = f"{delegation.delegated}/{delegation.total} in {delegation.partitions}" if delegation else None
    return variant.name, size_bytes / 1e6, ops, f"{parity.max_abs:.1e}" if parity else None, variant.path
