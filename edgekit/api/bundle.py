"""A bundle as a notebook uses it: loaded, looked at, run and reported on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import runtime.bundle
from edgekit.api.inspection import Inspection, inspect_bundle
from edgekit.api.outputs import Outputs, run_once
from runtime.engines.model_file import ModelFile, open_bundle_or_model
from runtime.engines.tflite_shapes import InputShapes

if TYPE_CHECKING:
    from runtime.targets import Target

AnyBundle: TypeAlias = runtime.bundle.Bundle | str | os.PathLike[str]


class Usable:
    """What can be done with a bundle or a model file; mixed into both."""

    def run(
        self: Any,
        inputs: Any,
        *,
        target: str | Target = "local",
        variant: str | None = None,
        threads: int = 1,
    ) -> Outputs:
        """Run one frame and return its outputs.

        The clock is the kernel's; ``edgekit run`` runs frames at a pace under a policy.

        Args:
            inputs: a photograph, for a model that takes one: a path, a PIL image, or uint8 pixels of
                shape (H, W, C); else an array or tensor in the input's shape. Of several inputs a list
                in order or a mapping by name.
            target: where it runs, as ``edgekit targets`` lists them.
            variant: name; default: the bundle's first.
            threads: of the engine.

        Raises:
            DataError: a file cannot be read.
            TypeError, ValueError: inputs that do not fit the model; an unknown variant or target.
            DeviceError: the variant cannot run there.

        Example:
            >>> bundle = load("seg.edgekit")
            >>> bundle.run("cat.png").top(1)[0].label
            'cat'
        """
        return run_once(self, inputs, target=target, variant=variant, threads=threads)

    def inspect(self: Any) -> Inspection:
        """Return what the bundle holds; a notebook shows it as text.

        Example:
            >>> load("seg.edgekit").inspect().variants
            ('litert-fp32',)
        """
        return inspect_bundle(self)

    def report(
        self: Any,
        out: str | os.PathLike[str] | None = None,
        *,
        target: str | None = None,
        timelines: Sequence[str | os.PathLike[str]] = (),
    ) -> Path:
        """Write everything known of the bundle into one HTML file and return its path.

        Args:
            out: default: beside the bundle.
            target: report on this one only; default: on all there are results of.
            timelines: logs of ``edgekit govern --log`` to draw over time.

        Raises:
            BundleError: it is a model file: only a bundle keeps results.
            DataError: the file cannot be written, or a log not be read.
            MissingExtra: the packages that draw are not installed.

        Example:
            >>> load("seg.edgekit").report("seg.html").name
            'seg.html'
        """
        from edgekit.report import write_report

        opened = reopen(self)
        return write_report(opened, out or opened.path.resolve().with_suffix(".html"), target, timelines)


@dataclass(frozen=True)
class Bundle(Usable, runtime.bundle.Bundle):
    """A bundle on the disk; every function that takes a ``runtime.bundle.Bundle`` takes it."""


@dataclass(frozen=True)
class LoadedFile(Usable, ModelFile):
    """A ``.tflite`` or ``.pte`` file of any origin, used as a bundle of one variant."""


def load(path: AnyBundle, input_shapes: InputShapes = ()) -> Bundle | LoadedFile:
    """Open a bundle, or a ``.tflite`` or ``.pte`` file; every byte of a bundle is checked.

    Args:
        path: of a folder or file, or what was opened already.
        input_shapes: of inputs whose shape a ``.tflite`` leaves open: pairs of the input's name, ``None``
            for the next one, and its shape.

    Raises:
        ValueError: ``input_shapes`` that do not fit.
        BundleError: neither, or a file is missing, changed or outside.
        VersionConflict: it was made by a newer edgekit.
        MissingExtra: the package that reads a model file is not installed.

    Example:
        >>> load("seg.edgekit").manifest.name
        'seg'
    """
    is_open = isinstance(path, runtime.bundle.Bundle)
    opened = path if is_open else open_bundle_or_model(path, input_shapes)
    if isinstance(opened, ModelFile):
        return LoadedFile(**{one.name: getattr(opened, one.name) for one in fields(ModelFile)})
    return Bundle(opened.path, opened.manifest)


def reopen(bundle: AnyBundle) -> runtime.bundle.Bundle:
    """Return the bundle as it lies on the disk now: what was tuned or fitted since is in it.

    Raises:
        BundleError: there is none, or it is a model file, which keeps nothing.
    """
    if isinstance(bundle, ModelFile):
        return runtime.bundle.Bundle.open(bundle.file(bundle.manifest.variants[0].path))
    return runtime.bundle.Bundle.open(bundle.path if isinstance(bundle, runtime.bundle.Bundle) else bundle)
