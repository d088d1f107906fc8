"""Gestures on a page, left to the kernel and governed: what ``edgekit web govern --try`` shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from runtime.device.setting import Setting
from runtime.govern.governor.beside import serving_beside
from runtime.govern.governor.plan import plan_for
from runtime.targets import open_target
from runtime.web.gestures.gesture import Gesture
from runtime.web.governing.accepted import read_image_share
from runtime.web.governing.page_governor import PageGovernor
from runtime.web.governing.run import WebGovernOptions, keeping, model_for, opened_page
from runtime.web.governing.stage import Stage, governed
from runtime.web.governing.trials import Trial


def try_gestures(
    options: WebGovernOptions,
    gestures: Sequence[Gesture],
    *,
    duration_s: float = 5.0,
    on_message: Callable[[str], None] = lambda message: None,
) -> Iterator[Trial]:
    """Do gestures on a page of this machine, left to its kernel on the fastest cluster, then governed.

    Each is done twice while it is governed: the first one teaches what the page's frames take, the second
    is yielded.

    Raises: as ``govern_page``.
    """
    target = open_target("local")
    plan = plan_for(target, None, options.wanted.fps)
    model = model_for(options, plan, on_message)
    fastest = max(target.profile.clusters, key=target.profile.capacity)
    with opened_page(options) as (page, opened):
        name, share = opened.name_of(str(page.evaluate("location.href"))), read_image_share(page)
        stage = Stage(
            plan.target, page, name, called=plan.name, duration_s=duration_s, refresh_hz=options.refresh_hz
        )
        for gesture in gestures:
            on_message(f"{gesture.name} under the kernel's governor ...")
            fps = options.wanted.of(gesture.kind, share, name)
            yield stage.at(Setting(fastest.name, None), gesture, fps)
        with (
            serving_beside(plan, on_message=on_message) as server,
            governed(
                lambda on_gesture: PageGovernor(
                    page,
                    model,
                    options.wanted,
                    str(server.path),
                    name_of=opened.name_of,
                    on_message=on_message,
                    on_gesture=keeping(options, plan, on_gesture),
                )
            ) as governing,
        ):
            for gesture in gestures:
                on_message(f"{gesture.name} governed ...")
                stage.under(governing, gesture)
                yield stage.under(governing, gesture)[0]
