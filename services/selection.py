"""What a person wants run, and the cells that this means: those of a claim, or a sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from manifests.errors import InputError

if TYPE_CHECKING:
    from orchestrator.running.request import Request


class Wish(NamedTuple):
    """A request, and what chooses among its cells.

    ``claim`` is the number (C2) or the id of one, "" for none; ``sample`` takes only the
    quickest cell of each environment.
    """

    request: Request
    claim: str = ""
    sample: bool = False


def wish_of(choices: dict[str, Any]) -> Wish:
    """From the study and the options of ``repliquant run``, by the names of its parameters."""
    from orchestrator.running.request import Request

    rest = {name: value for name, value in choices.items() if name not in ("claim", "sample")}
    return Wish(Request(**rest), choices["claim"], choices["sample"])


def narrowed(wish: Wish) -> Request:
    """The request whose expression chooses just the cells that are meant. Raises InputError."""
    request = wish.request
    if wish.claim:
        request = request._replace(expression=_cells_of(wish.claim, request))
    if wish.sample:
        request = request._replace(expression=_quickest(request))
    return request


def _cells_of(claim: str, request: Request) -> str:
    """What chooses the cells behind a claim, and of those what ``-k`` chooses."""
    from comparisons.claims import UnknownClaimError
    from comparisons.results import gather
    from manifests.paths import STUDIES
    from orchestrator.running.request import prepare

    prepared = prepare(request._replace(expression=""))
    try:
        (judged,) = gather(STUDIES / request.study, prepared.plan, claim=claim).claims
    except UnknownClaimError as error:
        raise InputError(str(error)) from error
    if not judged.cells:
        why = judged.claim.untestable or "its tests name no cell of this tier"
        raise InputError(f"claim {judged.number} ({judged.claim.id}) has nothing to run: {why}")
    given = f"({request.expression}) and " if request.expression else ""
    return f"{given}id={','.join(judged.cells)}"


def _quickest(request: Request) -> str:
    """What chooses, for each image, the cell that takes least with all it starts from."""
    from orchestrator.running.request import prepare

    planned = {item.id: item for item in prepare(request).chosen if not item.skip}
    whole: dict[str, float] = {}
    for item in planned.values():  # a plan lists a cell after the one it starts from
        whole[item.id] = item.estimate_s + sum(whole.get(need, 0.0) for need in item.needs)
    best: dict[str, str] = {}
    for item in planned.values():
        if item.image not in best or whole[item.id] < whole[best[item.image]]:
            best[item.image] = item.id
    if not best:
        raise InputError("no cell of this study can run here. See: repliquant doctor")
    return f"id={','.join(best.values())}"
