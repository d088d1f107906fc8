"""Batch norm's statistics estimated anew at the end, in forward passes without dropout and augmentation.

Paper: Li et al., https://arxiv.org/abs/1801.05134, section 5: it takes back the variance shift that
dropout before batch norm leaves; see ``edgekit.training.variance_shift``.
"""

from __future__ import annotations

from collections.abc import Sequence

from edgekit.training.batch_norm import IMAGES, reestimate_batch_norm
from edgekit.training.hooks import Hook, Training
from edgekit.training.technique import Technique, register_technique


@register_technique("reestimate")
class Reestimate(Technique):
    """Estimates once, after the last epoch.

    Args:
        images: of the training split to look at.

    Raises:
        ValueError: ``images`` is below 1.
    """

    def __init__(self, images: int = IMAGES):
        if images < 1:
            raise ValueError(f"reestimate: images is {images}; it must be 1 or more")
        self.images = images

    def hooks(self) -> Sequence[Hook]:
        return (_AtTheEnd(self.images),)


class _AtTheEnd(Hook):
    def __init__(self, images: int):
        self.images = images

    def finalize(self, run: Training) -> None:
        reestimate_batch_norm(run.trained(), run.dataset.train, images=self.images)
