"""What the screen writes and checks: tables, reports, archives; and what it asks first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from manifests.errors import RepliquantError
from tui.loaded import Loaded, Notice, Remark, Remarks
from tui.screens.dialogs import Asked, Form
from tui.text import error_text, safe

if TYPE_CHECKING:
    from comparisons.comparison import Comparison
    from manifests.run_folder import Run
    from tui.app_base import AppBase
    from tui.loaded import Value
    from tui.loaders import ShownRun


_ALL = "all"


class ExportActions:
    """Each ``ask_...`` shows a form; what it leads to goes on on a thread and is told."""

    def __init__(self, app: AppBase) -> None:
        self._app = app

    def tables(
        self, results: ShownRun, comparisons: list[Comparison], format_: str, path: Path
    ) -> None:
        """Write tables as ``repliquant table -o`` does."""
        from services.exports import tables_text, write_text

        try:
            write_text(path, tables_text(comparisons, results.environments, format_))
        except RepliquantError as error:
            self._app.complain(str(error))
            return
        self._app.notify(f"Written: {safe(str(path))}", markup=False, timeout=8)

    def ask_tables(self, results: ShownRun, current: str) -> None:
        """Of the run that is shown; ``current`` is the table that is seen."""
        from comparisons.render import TEXT_FORMATS

        if self._app.refused("Writing files"):
            return
        ids = tuple(c.id for c in results.comparisons)
        fields = [
            Asked("path", "file", "", (), str(results.run.folder / "FILE")),
            Asked("table", "table", current if current in ids else _ALL, (_ALL, *ids)),
            Asked("format", "format", "md", tuple(TEXT_FORMATS)),
        ]
        note = "An empty name: beside the run, as TABLE.FORMAT"
        self._app.push_screen(
            Form("Export tables", fields, "Write", note),
            lambda given: self._write_tables(results, given) if given is not None else None,
        )

    def _write_tables(self, results: ShownRun, given: dict[str, str]) -> None:
        table, format_ = given["table"], given["format"]
        chosen = [c for c in results.comparisons if table in (_ALL, c.id)]
        path = _path(given) or results.run.folder / f"{table}.{format_}"
        self.tables(results, chosen, format_, path)

    def ask_report(self) -> None:
        """Of the run that is shown, as ``repliquant report`` writes it."""
        from services.reports import FORMATS

        run = self._shown_run("Writing a report")
        if run is None:
            return
        fields = [
            Asked("path", "file", "", (), str(run.folder / FORMATS["html"])),
            Asked("format", "format", "html", tuple(FORMATS)),
        ]
        note = "An empty name: beside the run, as report.FORMAT"
        self._ask("Write a report", fields, "Write", note, lambda given: self._report(run, given))

    def ask_bundle(self) -> None:
        """Of the run that is shown, as ``repliquant bundle`` writes it."""
        from services.archives import archive_name

        run = self._shown_run("Writing an archive")
        if run is None:
            return
        fields = [
            Asked("path", "file", "", (), str(archive_name(run))),
            Asked("artifacts", "models too", "no", ("no", "yes")),
        ]
        note = "With plan, manifests, raw samples, logs and report. v on screen 1 checks one."
        self._ask("Bundle the run", fields, "Bundle", note, lambda given: self._bundle(run, given))

    def ask_verify(self) -> None:
        """An archive from anyone, as ``repliquant verify`` checks it."""
        fields = [Asked("path", "archive", "", (), "FILE.crate.zip")]
        note = "Every hash, table, verdict and the page are derived again and compared."
        self._ask(
            "Verify an archive", fields, "Verify", note, self._verify,
            check=lambda given: "" if given["path"] else "give the path of an archive",
        )  # fmt: skip

    def _report(self, run: Run, given: dict[str, str]) -> Value:
        from services.reports import write_report

        written = write_report(run, _path(given), given["format"])
        left_out = f"; {written.left_out}" if written.left_out else ""
        return Notice(f"Written: {written.path}{left_out}")

    def _bundle(self, run: Run, given: dict[str, str]) -> Value:
        from services.archives import archive_name, bundle, contents

        artifacts = given["artifacts"] == "yes"
        target = _path(given) or archive_name(run)
        made = bundle(run, target, artifacts)
        warnings = "".join(f"; warning: {warning}" for warning in made.warnings)
        return Notice(f"Written: {target}: {contents(made, artifacts)}{warnings}")

    def _verify(self, given: dict[str, str]) -> Value:
        from services.archives import check_archive, outcome

        file = Path(given["path"]).expanduser()
        found = []
        for check in check_archive(file):
            state = f"{len(check.wrong)} wrong" if check.wrong else "ok"
            found.append(Remark(state, check.name, "; ".join(check.wrong) or check.detail))
        failed = sum(item.state != "ok" for item in found)
        return Remarks(
            "Verify: whether an archive is whole", outcome(file, failed, len(found)), found
        )

    def _shown_run(self, what: str) -> Run | None:
        """The run on screen 4, unless nothing may be written; why not is said."""
        if self._app.refused(what):
            return None
        results = self._app.data.results
        if results is None:
            why = self._app.data.results_problem or "the run is still being read"
            self._app.notify(safe(why, 1000), severity="warning", markup=False)
        return results.run if results else None

    def _ask(
        self,
        title: str,
        fields: list[Asked],
        verb: str,
        note: str,
        act: Callable[[dict[str, str]], Value],
        check: Callable[[dict[str, str]], str] | None = None,
    ) -> None:
        def answered(given: dict[str, str] | None) -> None:
            if given is not None:
                self._app.notify(f"{title} …", timeout=3)
                self._on_thread(lambda: act(given))

        self._app.push_screen(Form(title, fields, verb, note, check), answered)

    def _on_thread(self, act: Callable[[], Value]) -> None:
        def work() -> None:
            try:
                value = act()
            except Exception as error:  # said instead
                value = Notice(error_text(error), "error")
            self._app.post_message(Loaded(value))

        self._app.run_worker(work, thread=True, group="writing", exit_on_error=False)


def _path(given: dict[str, str]) -> Path | None:
    return Path(given["path"]).expanduser() if given["path"] else None
