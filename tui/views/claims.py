"""Claims and the audit for the screen: read on threads, written as rows and as whole texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from comparisons.audit import Finding
from comparisons.claims import Judged, count_verdicts
from comparisons.render import audits, values
from comparisons.render import claims as claim_words
from services.citations import claim_citation
from services.shown_commands import audit_command, claims_command
from tui.copying import Copied
from tui.states import verdict
from tui.text import safe
from tui.widgets.rows import Column, Field, Row, Table

if TYPE_CHECKING:
    from manifests.run_folder import Run
    from tui.loaders import Judgement

WIDE = 110
"""From so many columns on, a table has the numbers or the possible explanation in it too."""

_LONGEST = 4000


def claims_table(claims: list[Judged], width: int) -> Table:
    """A row a claim, under the names that ``repliquant claims`` gives the columns."""
    number, says, _, printed, measured, why = claim_words.HEADER
    wide = width >= WIDE
    heads = [Column(number, most=6), Column(says, grow=not wide, most=56)]
    heads += [Column(printed, most=15), Column(measured, most=20)]
    heads += [Column(why, grow=True)] if wide else []

    def row(index: int) -> Row:
        item = claims[index]
        verdicts = verdict(item.published.state), verdict(item.measured.state)
        fields: list[Field | str] = [item.number, item.claim.text, *verdicts]
        return [*fields, values.one_line(claim_words.why(item))] if wide else fields

    return Table(heads, len(claims), row)


def findings_table(findings: list[Finding], width: int) -> Table:
    """A row a finding, under the names that ``repliquant audit`` gives the columns."""
    wide = width >= WIDE
    place, rule, _, confidence, explanation = audits.HEADER
    heads = [
        Column(place, most=20),
        Column(rule, grow=not wide, most=60),
        Column(confidence, most=12),
    ]
    heads += [Column(explanation, grow=True)] if wide else []

    def row(index: int) -> Row:
        found = audits.row(findings[index])
        fields = [found[0], found[1], found[3]]
        return [*fields, found[4]] if wide else fields

    return Table(heads, len(findings), row)


def tally_of(claims: list[Judged], scope: str) -> str:
    """How many claims have which verdict on the shown run, and what that was."""
    counts = ", ".join(f"{n} {state}" for state, n in count_verdicts(claims).items())
    return f"measured: {counts}   {scope}"


def markdown(judgement: Judgement, tab: str) -> str:
    """As ``repliquant claims`` and ``audit`` write it; "" for what isn't there."""
    if tab == "audit":
        report = judgement.report
        return audits.render_markdown(judgement.study, report) if report else ""
    found = judgement.evidence
    return claim_words.render_markdown(found.claims, found.scope) if found else ""


def searched(judged: Judged) -> str:
    """The text of a claim that a filter looks at."""
    stand_in = f"stand-in {judged.stand_in.state}" if judged.stand_in is not None else ""
    told = [judged.number, judged.claim.id, judged.claim.text, judged.claim.found_in]
    states = judged.published.state, judged.measured.state, judged.measured.reason
    return " ".join([*told, *states, stand_in])


def finding_searched(finding: Finding) -> str:
    """The text of a finding that a filter looks at."""
    return " ".join(audits.row(finding))


def claim_copies(judgement: Judgement, run: Run | None, judged: Judged | None) -> list[Copied]:
    """A verdict with its numbers, its citation, a row, the command, and all as Markdown."""
    every = [Copied("t", "all claims as Markdown", markdown(judgement, "claims"))]
    if judged is None:
        return every
    told = f"{judged.number}: {judged.measured.state}: {claim_words.told(judged.measured)}"
    row = "\t".join(" ".join(field.split()) for field in claim_words.row(judged))
    return [
        Copied("y", "the verdict with its numbers", told),
        Copied("c", "its citation", claim_citation(judgement.study, run, judged)),
        Copied("r", "the row", row),
        Copied("m", "the command that shows it",
               claims_command(judgement.study, run, judged.number)),
        *every,
    ]  # fmt: skip


def finding_copies(judgement: Judgement, finding: Finding | None) -> list[Copied]:
    """A finding as a row, the command, and all as Markdown."""
    row = "\t".join(" ".join(f.split()) for f in audits.row(finding)) if finding else ""
    found = [Copied("y", "the finding", row)] if row else []
    return [
        *found,
        Copied("m", "the command that shows it", audit_command(judgement.study)),
        Copied("t", "all findings as Markdown", markdown(judgement, "audit")),
    ]


def claim_text(judged: Judged) -> Text:
    """Everything there is to say of a claim."""
    text = Text(f"{_whole(judged.claim.text)}\n", "bold")
    text.append(f"{_whole(judged.claim.found_in)}\n\n", "dim not bold")
    return text.append_text(_labelled(claim_words.details(judged)))


def finding_text(finding: Finding) -> Text:
    """Everything there is to say of a finding."""
    text = Text(f"{_whole(finding.rule)}\n", "bold")
    text.append(f"{_whole(finding.place)}\n\n", "dim not bold")
    return text.append_text(_labelled(audits.details(finding)))


def claim_lines(judged: Judged) -> Text:
    """What stands below the list: the words, and both verdicts with their numbers."""
    text = Text(f"{_whole(judged.claim.text)}", "bold")
    text.append(f"  {_whole(judged.claim.found_in)}\n", "dim not bold")
    told = [*claim_words.verdicts(judged), ("flags", claim_words.flags(judged))]
    for label, told_ in told:
        if told_:
            text.append(f"{label}: ", "dim not bold").append(f"{_whole(told_)}\n", "not bold")
    return text


def finding_lines(finding: Finding) -> Text:
    """What stands below the list: the rule, how it may have come about, and where."""
    text = Text(f"{_whole(finding.rule)}\n", "bold")
    if finding.innocent:
        text.append(f"{audits.HEADER[-1]}: ", "dim not bold")
        text.append(f"{_whole(finding.innocent)}\n", "not bold")
    text.append(f"{audits.HEADER[2]}: ", "dim not bold")
    return text.append(_whole(audits.where(finding, audits.TOLD)), "not bold")


def _labelled(pairs: list[tuple[str, str]]) -> Text:
    text = Text()
    for label, told_ in pairs:
        text.append(f"{label}: " if label else "  ", "bold")
        text.append(f"{_whole(told_)}\n", "not bold")
    return text


def _whole(text: str) -> str:
    """White space folded; longer than any text that was written to be read."""
    return safe(" ".join(text.split()), _LONGEST)
