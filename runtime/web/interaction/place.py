"""A page's processes on one setting: their threads on its core, its clock held, all of it restored after."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace

from runtime.device.actuators import born_of, move, restore_places
from runtime.device.conditions import Conditions
from runtime.device.meters import read_conditions
from runtime.device.meters.cpu_time import read_own_time_s
from runtime.device.setting import Setting
from runtime.targets.local import HeldSetting, LocalTarget
from runtime.web.browser.processes import threads_by_role
from runtime.web.interaction.subject import Subject

_SETTLE_S = 0.1  # queues on the core that was left run empty


@contextlib.contextmanager
def placed(target: LocalTarget, subject: Subject, setting: Setting) -> Iterator[HeldSetting]:
    """Run the processes that draw a page on ``setting`` within the block.

    Raises:
        ValueError: no such cluster or clock.
        DeviceError, PermissionNeeded: the machine cannot do it.
    """
    with target.hold(setting) as held:
        if held.cpus is None:
            yield held
            return
        places = move(tuple(threads_by_role(subject.drawing)), held.cpus)
        try:
            time.sleep(_SETTLE_S)
            yield held
        finally:
            restore_places(places, born_of(places))


def page_conditions(
    target: LocalTarget, subject: Subject, held: HeldSetting, *, probe: bool = False
) -> Conditions:
    """Return what the machine does now; the page's own work and the browser's help are nobody else's."""
    found = read_conditions(
        target.root,
        cpus=held.cpus,
        policy=None if held.domain is None else held.domain.path,
        probe=probe,
    )
    own = [read_own_time_s(pid) for pid in (subject.drawing.renderer, subject.drawing.gpu)]
    if any(each is None for each in own):
        return found
    # Its threads queue behind each other on one core: their waiting is no sign of others.
    return replace(
        found,
        own_busy_s=sum(each[0] for each in own if each is not None),
        edgekit_busy_s=time.process_time() + subject.helpers_busy_s(),
    )
