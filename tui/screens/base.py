"""What the screens have in common: the first line, the footer, the keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Footer

from tui.kept import Order
from tui.widgets.head import Head
from tui.widgets.rows import Rows

if TYPE_CHECKING:
    from tui.app_actions import ActionApp
    from tui.copying import Copied
    from tui.live import Followed


class Page(Screen[None]):
    """A screen of the app. ``mode`` is its name; pages on top of one have that one's.

    ``watches_runs``: what a run has come to is shown on top of it when the run has ended.
    ``watches_load``: it shows how busy the machine is, also while nothing runs.
    """

    mode: ClassVar[str] = ""
    about: ClassVar[str] = ""
    watches_runs: ClassVar[bool] = False
    watches_load: ClassVar[bool] = False
    VERTICAL_BREAKPOINTS = [(0, "-low"), (14, "-high")]  # noqa: RUF012 (Textual's own form)
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.back", "Back", show=False),
        Binding(
            "y",
            "copy",
            "Copy",
            tooltip="copy a number, a row, its citation, or the command",
            show=False,
        ),
        Binding("C", "columns", "Columns", show=False, tooltip="choose the columns of a list"),
    ]

    _settled = False

    @property
    def main_app(self) -> ActionApp:
        """The app, by its own type."""
        return cast("ActionApp", self.app)

    @property
    def settled(self) -> bool:
        """Whether all its widgets are there; neither timer nor threads wait for them."""
        if not self._settled and self.query(Footer):
            self._settled = all(widget.is_mounted for widget in self.walk_children(Widget))
        return self._settled and self.display  # not while it is being taken down

    def compose(self) -> ComposeResult:
        yield Head(self.mode)
        yield from self.body()
        yield Footer(compact=True, show_command_palette=False)

    def body(self) -> ComposeResult:
        """What stands between the first line and the footer."""
        yield from ()

    def on_mount(self) -> None:
        for rows in self.query(Rows):
            kept = self.main_app.kept.lists.get(f"{self.mode}/{rows.id}")
            if kept is not None:
                rows.sorted_by, rows.turned = kept.sorted_by, kept.turned
                rows.hidden = frozenset(kept.hidden)
        self.call_after_refresh(self.on_screen_resume)

    @on(Rows.Arranged)
    def _keep_order(self, event: Rows.Arranged) -> None:
        rows = event.rows
        order = Order(rows.sorted_by, rows.turned, sorted(rows.hidden))
        self.main_app.kept.lists[f"{self.mode}/{rows.id}"] = order

    def on_screen_resume(self) -> None:
        if self.settled:
            self.query_one(Head).status = self.main_app.status_line
            self.refresh_bindings()
            self.renew()

    def renew(self) -> None:
        """Something that the page shows may have changed."""

    def undo(self) -> bool:
        """Take back what escape takes back here. Whether there was anything."""
        return False

    def copies(self) -> Sequence[Copied]:
        """What can be copied here; the first is what ``y`` twice takes."""
        return ()

    def action_copy(self) -> None:
        """Ask which of what can be copied is meant."""
        from tui.copying import choices
        from tui.screens.dialogs import Question

        found = {one.key: one for one in self.copies() if one.text}
        if not found:
            self.notify("There is nothing to copy here.")
            return
        self.app.push_screen(
            Question("Copy", (), choices(list(found.values()))),
            lambda key: self._copy(found[key]) if key else None,
        )

    def action_columns(self) -> None:
        """Of the list that has the focus."""
        from tui.screens.picker import Tick

        rows = self.focused
        if not isinstance(rows, Rows) or len(rows.column_names) < 2:
            self.notify("The columns of a list can be chosen when it has the focus.")
            return
        names = rows.column_names
        shown = [name for name in names if name not in rows.hidden]
        self.app.push_screen(
            Tick("Columns: space shows or hides one", names, shown),
            lambda kept: rows.hide(set(names) - set(kept)) if kept else None,
        )

    def _copy(self, one: Copied) -> None:
        self.app.copy_to_clipboard(one.text)
        self.notify(f"Copied: {one.what}.", markup=False)

    def follow(self, followed: Followed) -> None:
        """More of the log and the notes of what runs."""

    def beat(self) -> None:
        """Called a few times a second while something runs and the page is seen."""
