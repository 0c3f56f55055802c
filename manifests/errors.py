"""Errors that end a command with one message: problem, value, accepted choices, next step."""

from __future__ import annotations


class RepliquantError(Exception):
    """A message for the person at the terminal; ``exit_code`` is what the command ends with.

    Every error of ours that a person can act on is one; whatever else is raised is a bug.
    """

    exit_code = 2


class InputError(RepliquantError):
    """What was asked or given can't be used (exit status 2)."""


class MachineError(RepliquantError):
    """This machine can't do it: no engine, no disk, no network (exit status 3)."""

    exit_code = 3


class EngineGoneError(MachineError):
    """The engine went away and did not come back: no cell can be run any more."""
