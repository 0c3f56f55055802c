"""What of a machine's settings tells two environments apart."""

from __future__ import annotations

from typing import Any

from comparisons.environments import differing, facts
from manifests.manifest import Conditions, Environment, Machine
from tests.manifests.samples import a_manifest

MACHINE = Machine(
    system="Linux", architecture="x86_64", cpu="c", cpus=2, instruction_sets=[], memory_bytes=1
)


def under(**fields: Any) -> list[Any]:
    environment = Environment(machine=MACHINE, conditions=Conditions(**fields))
    return [a_manifest(environment=environment)]


def test_compare_knows_how_the_machines_were_set_and_not_who_was_busy() -> None:
    base = facts(under(governors=["performance"], boost=False, smt=True, load_average=[0.1] * 3))
    new = facts(under(governors=["powersave"], boost=True, smt=True, load_average=[9.0] * 3))
    assert [(line.what, line.base, line.new) for line in differing(base, new)] == [
        ("boost", "off", "on"),
        ("governor", "performance", "powersave"),
    ]
