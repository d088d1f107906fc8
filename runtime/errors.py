"""Errors of edgekit.

EdgekitError
├── MissingExtra             an optional package, or a file of weights, is not here; says the line to run
├── BundleError              a bundle is damaged, unsafe or of an unknown schema
├── CheckpointError          a checkpoint does not fit the model or is damaged
├── DataError                a dataset, image or label file cannot be used
├── TrainingError            training went wrong: the loss is not a number any more, or all is frozen
├── PruneError               a pruning step would break the network
├── ExportError              an exporter failed on a model
├── GateError                a check the user asked for did not pass (exit 3)
│   ├── DelegationError      an op falls off the delegate
│   ├── ParityError          the exported numbers differ from eager
│   ├── AccuracyError        quantisation loses more accuracy than allowed
│   ├── RegressionError      B is slower than A by more than allowed
│   └── UnreliableResult     a measurement that should not be believed
├── DeviceError              a target cannot do what was asked
│   ├── DeviceStableError    it never will: no use trying again
│   └── DeviceTransientError it may work the next time
├── WebError                 a browser cannot do what was asked, or is gone
│   └── PageError            the page in it does not: others may
├── PermissionNeeded         needs root or a capability
├── NotFittedError           a predictor or policy is asked before it was made
└── VersionConflict          a file was written by a tool version that does not fit

A message says what was got, what is allowed and what to do. Bad arguments are
``ValueError``/``TypeError``. Nothing here knows of click: the command line maps
``exit_code`` to the process's status.
"""

from __future__ import annotations


class EdgekitError(Exception):
    """Base of everything edgekit raises on purpose; catch this at the outermost place."""

    exit_code = 1


class MissingExtra(EdgekitError):
    """An optional package, or a file of weights, is not here; the message holds the exact line to run."""


class BundleError(EdgekitError):
    """A bundle is damaged, unsafe, or of a schema this version does not know."""


class CheckpointError(EdgekitError):
    """A checkpoint is damaged or belongs to another model."""


class DataError(EdgekitError):
    """A dataset, image or label file cannot be read or does not fit."""


class TrainingError(EdgekitError):
    """Training went wrong: the loss is not a number any more, or every parameter is frozen."""


class PruneError(EdgekitError):
    """A pruning step would break the network or its numbers."""


class ExportError(EdgekitError):
    """An exporter could not turn the model into a file."""


class GateError(EdgekitError):
    """A check that guards quality did not pass; the command line exits with 3."""

    exit_code = 3


class DelegationError(GateError):
    """At least one op would run outside the fast delegate."""


class ParityError(GateError):
    """The exported file's numbers differ from the eager model's by more than allowed."""


class AccuracyError(GateError):
    """The quantised file loses more accuracy than allowed."""


class RegressionError(GateError):
    """What is compared is slower than what it is compared with, by more than allowed."""


class UnreliableResult(GateError):
    """A measurement carries a reason not to believe it."""


class DeviceError(EdgekitError):
    """A target cannot do what was asked."""


class DeviceStableError(DeviceError):
    """The target will never do it: trying again is no use."""


class DeviceTransientError(DeviceError):
    """The target may do it the next time."""


class WebError(EdgekitError):
    """A browser cannot do what was asked, or is gone."""


class PageError(WebError):
    """A page does not load, or does not let itself be measured; another one may."""


class PermissionNeeded(EdgekitError):
    """The operation needs root or a capability this process lacks."""


class NotFittedError(EdgekitError):
    """A predictor or policy is used before it was fitted or tuned."""


class VersionConflict(EdgekitError):
    """A file was written by a version of a tool that does not fit the installed one."""
