"""A governor: the cheapest setting at which each frame is in time, decided while the frames run.

Programs tell it of their frames over a socket; it sets clocks, moves threads, and puts everything back.

    controller.py, margin.py, trust.py, heat.py, isotone.py   what to do about a frame: pure
    tables.py        the rows to choose from: of a policy, or of the SoC's capacities
    session.py       one stream of frames
    scene_session.py, scene_controller.py   one whose frames' work varies: clocks change within frames
    governor.py, arbitration.py          all sessions on one machine; what they ask of shared clocks
    machine.py, clocks.py                clocks and cores, held against others within reason
    server.py, messages.py, peer.py, rate.py, lock.py   the socket: who may ask what, and how often
    client.py        for programs: one file without dependencies, to copy
    command.py, frames.py, serving.py    a program under a governor; a model's frames as that program
    remote.py        all of it on a device behind ssh
    log.py           each frame of a run, as JSON Lines
"""

from runtime.choose.decision.controller import Controller, Decision
from runtime.govern.governor.command import GovernedRun, govern_command
from runtime.govern.governor.governor import Governor
from runtime.govern.governor.serving import Plan, plan_for, serving
from runtime.measure.frame_log import FrameLine, Header, read_log

__all__ = [
    "Controller",
    "Decision",
    "FrameLine",
    "GovernedRun",
    "Governor",
    "Header",
    "Plan",
    "govern_command",
    "plan_for",
    "read_log",
    "serving",
]
