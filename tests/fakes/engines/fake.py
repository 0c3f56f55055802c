"""The fake engine, found as one from outside is."""

from orchestrator.engines.base import Entry
from tests.fakes.engine import FakeEngine

ENGINE = Entry(FakeEngine)
