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
from runtime.bundle.flow import Constant, Flow, FlowGraph, State, Stop, Token
from runtime.bundle.manifest import (
    ENGINES,
    PRECISIONS,
    SCHEMA_VERSION,
    Delegation,
    FallbackOp,
    FileEntry,
    Manifest,
    Variant,
)
from runtime.bundle.parity import ChannelParity, OutputParity, Parity
from runtime.bundle.quantization import IoScale, Quantization
from runtime.bundle.task import TaskSpec
from runtime.bundle.tensors import MAIN_GRAPH, Graph, ImageSpec, TensorSpec

__all__ = [
    "ENGINES",
    "MAIN_GRAPH",
    "PRECISIONS",
    "SCHEMA_VERSION",
    "SUFFIX",
    "Bundle",
    "BundleWriter",
    "ChannelParity",
    "Constant",
    "Delegation",
    "FallbackOp",
    "FileEntry",
    "Flow",
    "FlowGraph",
    "Graph",
    "ImageSpec",
    "IoScale",
    "Manifest",
    "OutputParity",
    "Parity",
    "Quantization",
    "State",
    "Stop",
    "TaskSpec",
    "TensorSpec",
    "Token",
    "Variant",
    "decode_file",
    "new_bundle",
    "rename_keys",
    "write_atomic",
]
