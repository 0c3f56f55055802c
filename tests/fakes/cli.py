"""``python -m tests.fakes.cli``: the real command line, with the fake engine among the others."""

from orchestrator import engines
from tests.fakes.engine import FakeEngine
from tui.cli import main

engines.ENGINES["fake"] = FakeEngine

if __name__ == "__main__":
    main()
