"""What to say of a package that is missing where no library function asked for it by its extra."""

from __future__ import annotations

from runtime.extras import install_line

# The extra that brings what is imported as ...
_EXTRAS = {
    "PIL": "images",
    "numpy": "predict",
    "sklearn": "predict",
    "skops": "predict",
    "yaml": "predict",
    "lightning_fabric": "train",
    "safetensors": "train",
    "torch": "train",
    "torch_pruning": "train",
    "tqdm": "train",
    "executorch": "executorch",
    "torchao": "executorch",
    "ai_edge_litert": "litert",
    "ai_edge_quantizer": "litert-export",
    "litert_torch": "litert-export",
    "websockets": "web",
    "devlib": "lab",
    "ray": "lab",
    "jinja2": "report",
    "markupsafe": "report",
    "paramiko": "lab",
    "scipy": "predict",
}
# ... and those of a command that needs it for something else.
_COMMON = ("PIL", "numpy", "sklearn", "torch")
_EXPORT = dict.fromkeys(_COMMON, ("executorch", "litert-export"))
_TRAINING = dict.fromkeys(_COMMON, ("train",))
_FIGURES = {"numpy": ("predict", "report")}
_OF_COMMAND = {
    "evaluate": _EXPORT,
    "export": _EXPORT,
    "models": _TRAINING,
    "parity": _EXPORT,
    "place": _TRAINING,
    "plot": _FIGURES,
    "prune": _TRAINING,
    "report": _FIGURES,
    "tasks": _TRAINING,
    "train": _TRAINING,
    "weights": _EXPORT,
}
_OURS = ("edgekit", "runtime", "predictors")


def explain(err: ImportError, command: str | None) -> str | None:
    """Return what is missing and the line to run; ``None`` where our own code is wrong.

    Args:
        err: of an import; a package that is there but broken counts, too.
        command: of edgekit, which failed.
    """
    package = (err.name or "").partition(".")[0]
    if package in _OURS:
        return None
    if not isinstance(err, ModuleNotFoundError) or package != err.name:
        return f"{' '.join(str(err).split())}; a package is damaged or too old: see edgekit doctor"
    extras = _OF_COMMAND.get(command or "", {}).get(package) or tuple(filter(None, [_EXTRAS.get(package)]))
    if not extras:
        return f"{package}, which an installed package needs, is missing: see edgekit doctor"
    return f"{package} is not installed; run: {install_line(*extras)}"
