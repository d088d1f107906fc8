"""The bundle and its manifest: where the host side and the device side meet."""

from runtime.bundle.bundle import (
    SUFFIX,
    Bundle,
    BundleWriter,
    decode_file,
    new_bundle,
    rename_keys,
)
from runtime.bundle.disk import write_atomic
from runtime.bundle.manifest import (
    ENGINES,
    MAIN_GRAPH,
    PRECISIONS,
    SCHEMA_VERSION,
    Delegation,
    FallbackOp,
    FileEntry,
    Graph,
    ImageSpec,
    Manifest,
    TensorSpec,
    Variant,
)
from runtime.bundle.parity import ChannelParity, OutputParity, Parity
from runtime.bundle.quantization import IoScale, Quantization

__all__ = [
    "ENGINES",
    "MAIN_GRAPH",
    "PRECISIONS",
    "SCHEMA_VERSION",
    "SUFFIX",
    "Bundle",
    "BundleWriter",
    "ChannelParity",
    "Delegation",
    "FallbackOp",
    "FileEntry",
    "Graph",
    "ImageSpec",
    "IoScale",
    "Manifest",
    "OutputParity",
    "Parity",
    "Quantization",
    "TensorSpec",
    "Variant",
    "decode_file",
    "new_bundle",
    "rename_keys",
    "write_atomic",
]
