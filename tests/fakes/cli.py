"""``python -m tests.fakes.cli``: the real command line, with the fake engine among the others."""

from cli.main import main
from orchestrator import engines
from tests.fakes.engine import FakeEngine

engines.ENGINES["fake"] = FakeEngine

if __name__ == "__main__":
    main()
