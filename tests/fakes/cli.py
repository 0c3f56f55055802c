"""``python -m tests.fakes.cli``: the real command line, with the fake engine among the others."""

from pathlib import Path

from cli.main import main
from orchestrator.engines import registry

registry.search([Path(__file__).with_name("engines")])

if __name__ == "__main__":
    main()
