"""How a number is taken: one file a protocol, found by its name, which cells and studies have.

A protocol is a module with
- a docstring that says what is done, and for a paper's own way where the paper says so,
- ``CONTROLLED``: True where what differs between frameworks by default is set alike (TF32, the
  size of ``predict()``'s steps, when engines are built, untimed steps before training); False
  leaves it as the framework comes,
- ``AVERAGE``: ``"median"`` or ``"mean"``, how a cell's samples become one number in the tables,
- ``infer_recipe(job)``: the recipe of an inference cell in a type of the protocol's own, whose
  ``profile_calls`` and ``test_images`` say what else is done,
- ``evaluate(job, session, test_images, batch_size)``: the accuracy, recorded and returned,
- ``time_inference(job, session)``: one batch of the cell's size, measured and recorded.

Both constants are plain values: tables read them without importing the file.
"""

from __future__ import annotations

import importlib
from typing import Any, Optional, Protocol, cast

from manifests.errors import InputError
from manifests.runner_files import known, protocol_files
from runners.failures import Unsupported
from runners.job import Job
from runners.session import Session


class MeasuringRecipe(Protocol):
    """What every protocol's recipe of an inference cell has."""

    profile_calls: int
    test_images: Optional[int]


class MeasuringProtocol(Protocol):
    """A file of this folder, as its users see it."""

    CONTROLLED: bool
    AVERAGE: str

    def infer_recipe(self, job: Job) -> Any: ...

    def evaluate(self, job: Job, session: Session, test_images: int, batch_size: int) -> float: ...

    def time_inference(self, job: Job, session: Session) -> None: ...


def protocol(name: str) -> MeasuringProtocol:
    """The protocol called ``name``. Raises Unsupported with those there are."""
    try:
        known(name, protocol_files(), "protocol")
    except InputError as error:
        raise Unsupported(str(error)) from None
    module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    return cast(MeasuringProtocol, module)


def controlled(name: str) -> bool:
    """Whether the protocol sets alike what differs between frameworks by default."""
    return protocol(name).CONTROLLED
