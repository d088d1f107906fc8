"""The training techniques that come with edgekit, a file each; importing them makes them known by name."""

from edgekit.training.techniques import (  # noqa: F401 (they register)
    affine,
    average,
    best,
    clip,
    distillation,
    grafting,
    jitter,
    mixing,
    patch_shuffle,
    random_erasing,
    rco,
    reestimate,
    route,
    uout,
)
