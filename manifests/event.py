"""Events: what a runner says while it works, one JSON object a line on its standard output."""

from __future__ import annotations

from typing import Optional, Union

import msgspec


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", omit_defaults=True):
    """``time_s`` is seconds since the runner started."""

    time_s: float


class Phase(_Event, frozen=True, kw_only=True, tag="phase"):
    """A phase begins: import, build, data, train, calibrate, convert, warm-up, measure, ..."""

    name: str


class Epoch(_Event, frozen=True, kw_only=True, tag="epoch"):
    """An epoch ended; ``loss`` is the mean over its steps, in nats."""

    epoch: int
    of: int
    loss: Optional[float] = None


class Step(_Event, frozen=True, kw_only=True, tag="step"):
    """Progress inside a phase, at a bounded rate."""

    step: int
    of: Optional[int] = None
    loss: Optional[float] = None
    items_per_s: Optional[float] = None


class Warning(_Event, frozen=True, kw_only=True, tag="warning"):
    """Something the reader should know that does not end the cell."""

    text: str


class Done(_Event, frozen=True, kw_only=True, tag="done"):
    """The last event; what the manifest will say of the cell is on disk when it is sent."""

    status: str
    reason: str = ""


Event = Union[Phase, Epoch, Step, Warning, Done]

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Event)


def encode(event: Event) -> bytes:
    """One line, with its newline."""
    return _encoder.encode(event) + b"\n"


def decode(line: bytes) -> Event:
    """Parse one line. Raises msgspec.MsgspecError when it is not an event."""
    event: Event = _decoder.decode(line)
    return event
