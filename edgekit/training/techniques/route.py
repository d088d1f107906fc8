"""Route: a teacher keeps the weights it had on its way, for students that follow it (see ``rco``)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from safetensors.torch import save

from edgekit.training.hooks import Hook, Training
from edgekit.training.technique import Technique, register_technique
from runtime.bundle import write_atomic

ROUTE_FOLDER = "route"


@register_technique("route")
class Route(Technique):
    """Keeps the weights after equal shares of the epochs.

    Args:
        anchors: how many networks the route has, the finished one included.

    Raises:
        ValueError: ``anchors`` is below 2.
    """

    def __init__(self, anchors: int = 4):
        if anchors < 2:
            raise ValueError(f"route: anchors is {anchors}; it must be 2 or more: the last is the end")
        self.anchors = anchors

    def hooks(self) -> Sequence[Hook]:
        return (_KeepAnchors(self.anchors),)


class _KeepAnchors(Hook):
    def __init__(self, anchors: int):
        self.anchors = anchors

    def metrics(self, run: Training) -> dict[str, float]:
        # Here, not at the epoch's end: whatever other hooks do to the weights then has been done.
        epochs = run.epoch + 1
        if epochs in [round(run.recipe.epochs * i / self.anchors) for i in range(1, self.anchors)]:
            tensors = {name: t.detach().cpu().contiguous() for name, t in run.trained().state_dict().items()}
            (run.folder / ROUTE_FOLDER).mkdir(exist_ok=True)
            write_atomic(run.folder / ROUTE_FOLDER / f"epoch-{epochs:04}.safetensors", save(tensors))
        return {}


def route_of(folder: Path) -> list[Path]:
    """Return the weight files along the way of the checkpoint in ``folder``, early ones first."""
    return sorted((folder / ROUTE_FOLDER).glob("epoch-*.safetensors"))
