"""Export a net for one engine and compare what the file gives with the eager model."""

from edgekit.export import EXPORT_BACKENDS, live_model
from edgekit.export.parity import run_file
from edgekit.export.preflight import prepare


def compared(net, example, engine):
    """Return the delegation and the parity of ``net``, exported as it is for inputs like ``example``."""
    (source,) = live_model(net.eval(), example, "net").graphs.values()
    ready = prepare(source, [engine])
    exported = EXPORT_BACKENDS.get(engine)(ready.lowered, ready.example, ready.program)
    with exported.as_file() as path:
        return exported.delegation, ready.compare(path.name, run_file(engine, path, source.frames))
