"""What an archive holds, and what of it follows from the rest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from comparisons import redaction
from comparisons.audit import audit
from comparisons.render import TEXT_FORMATS, audits, claims, markdown_footer
from comparisons.report import ReportInput, render_page
from comparisons.results import gather
from manifests.manifest import Manifest
from manifests.plan import Plan
from manifests.run_folder import Run

SCHEMA = "repliquant/bundle/1"
ABOUT, CHECKSUMS, METADATA = "bundle.json", "checksums.sha256", "ro-crate-metadata.json"
KEPT = ("manifest.json", "cell.json", "context.json", "events.jsonl", "log.txt", "stderr.txt",
        "telemetry.jsonl")  # fmt: skip


class About(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``bundle.json``. ``date`` is that of the last cell, so that equal runs give equal bytes.

    ``left_out`` names files of the run that are not in the archive: models, and what is longer
    than an archive may hold. ``redacted`` names files that are in it as copies without what is
    nobody else's business, and says what went; there is none where nothing did.
    """

    schema: str = SCHEMA
    study: str
    run: str
    kit: str
    date: str
    left_out: list[str] = []
    redacted: dict[str, list[str]] | msgspec.UnsetType = msgspec.UNSET

    @property
    def copies(self) -> dict[str, list[str]]:
        """The files that are copies without something, and what went."""
        return {} if self.redacted is msgspec.UNSET else self.redacted

    @property
    def note(self) -> str:
        """The copies in a sentence; nothing without any."""
        return redaction.sentence(self.copies) if self.copies else ""


def study_place(study: str) -> str:
    """Where the study's folder stands in an archive."""
    return f"study/{study}"


def derive(
    about: About,
    study_folder: Path,
    plan: Plan,
    manifests: list[Manifest],
    script: Callable[[], str],
) -> dict[str, bytes]:
    """Everything that follows from raw samples and published tables, by name."""
    evidence = gather(study_folder, plan, manifests, about.run).noting(about.note)
    found = audit(study_folder)
    texts = {
        f"derived/tables.{'tex' if name == 'latex' else name}": render(evidence.comparisons)
        for name, render in TEXT_FORMATS.items()
    }
    texts["derived/tables.md"] += markdown_footer(evidence.environments)
    texts["derived/claims.md"] = claims.render_markdown(evidence.claims, evidence.scope)
    texts["derived/claims.json"] = _json(claims.plain(evidence.claims))
    texts["derived/audit.md"] = audits.render_markdown(about.study, found)
    texts["derived/audit.json"] = _json(audits.plain(found))
    texts["report.html"] = render_page(ReportInput(evidence, found, "", script()))
    return {name: text.encode() for name, text in texts.items()}


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=1).decode() + "\n"


def planned(run: Run, plan: Plan) -> tuple[list[Manifest], list[str]]:
    """The manifests of the plan's cells, and a warning for each that can't be used."""
    loaded = run.load()
    ids = {item.id for item in plan.cells}
    return [m for m in loaded.manifests if m.id in ids], list(loaded.warnings)
