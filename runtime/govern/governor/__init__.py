"""A governor: the cheapest setting at which each frame is in time, decided while the frames run.

Programs report their frames to it over a socket; it sets clocks, moves threads, and restores everything. What
to do about a frame is ``runtime.choose.decision`` (steady frames) and ``runtime.choose.frame_policy`` (frames
of variable load): pure rules without a clock or a file.

    options.py, running.py           what a user asks for, from names to a governed run
    plan.py, tables.py               what to follow on this machine: of a policy, or of the SoC's capacities
    command.py                       a program under a governor, and what came of it
    frames.py                        a model's frames as that program
    serving.py, lock.py              a governor put together, one per user, and everything restored after
    beside.py                        the same in a thread
    server.py, connection.py, messages.py, requests.py, peer.py   the socket: who may ask what, and how often
    governor.py, session.py          all sessions on one machine; one stream of frames and its strategy
    gestures.py, fixed.py            a setting that a program names; one of a program that reports nothing
    machine.py, clocks.py, heat.py   clocks and cores, held against others within reason; a cap on power
    change_times.py                  what changing them takes here, measured
    client.py                        for programs: one file without dependencies, to copy
    remote.py, device_policy.py      all of it on a device behind ssh
"""

from runtime.govern.governor.command import GovernedRun, govern_command
from runtime.govern.governor.governor import Governor
from runtime.govern.governor.options import GovernOptions
from runtime.govern.governor.plan import GovernPlan, VariableLoad, plan_for
from runtime.govern.governor.serving import serving

__all__ = [
    "GovernOptions",
    "GovernPlan",
    "GovernedRun",
    "Governor",
    "VariableLoad",
    "govern_command",
    "plan_for",
    "serving",
]
