"""Choose the cheapest setting that meets a frame rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from edgekit.api.bundle import AnyBundle, reopen
from runtime.extras import require

if TYPE_CHECKING:
    from runtime.choose.policy.policy import Policy
    from runtime.choose.tuning.request import PolicyRequest
    from runtime.targets import Target


def tune(
    bundle: AnyBundle,
    target: str | Target = "local",
    request: PolicyRequest | None = None,
    *,
    threads: Sequence[int] = (),
    variants: Sequence[str] = (),
    **limits: Any,
) -> Policy:
    """Choose the setting that meets a request best, save it in the bundle as a policy and return it.

    Args:
        bundle: loaded, or its path.
        target: where it will run; it was benched there before.
        request: objective and limits; or give them by name:
        threads, variants: what to choose among; by default everything that was benched.
        limits: ``fps``, ``latency_ms``, ``objective``, ``quantile``, ``max_power_mw`` and all the others
            of ``runtime.choose.tuning.request``.

    Raises:
        BundleError: there is no bundle.
        NotFittedError: the target was not benched, or not every setting and nothing was fitted; says
            the commands to run.
        TypeError: a limit of another name.
        ValueError: a limit out of range, or one on energy where no power is known.

    Example:
        >>> from edgekit.api.bench import bench
        >>> records = bench("seg.edgekit", target="virtual:gs101")
        >>> policy = tune("seg.edgekit", target="virtual:gs101", fps=30)
        >>> policy.meets_target, policy.setting.threads, policy.fps_target
        (True, 1, 30)
    """
    require("numpy", extra="predict")
    from runtime.choose.tuning.request import PolicyRequest
    from runtime.choose.tuning.tune import tune_bundle
    from runtime.flow.frames import as_frames, names_in
    from runtime.measure.bench import default_log
    from runtime.targets import open_target

    unknown = [name for name in limits if name not in PolicyRequest.__dataclass_fields__]
    if unknown or (request is not None and limits):
        allowed = (
            "give a request or limits, not both" if request else ", ".join(PolicyRequest.__dataclass_fields__)
        )
        raise TypeError(f"tune() got {', '.join(unknown or limits)}; allowed: {allowed}")
    opened = as_frames(reopen(bundle), variants)
    machine = open_target(target) if isinstance(target, str) else target
    _, policy = tune_bundle(
        opened,
        machine,
        request or PolicyRequest(**limits),
        records=list(default_log(opened, machine)),
        threads=threads,
        variants=names_in(opened, variants),
    )
    return policy
