"""What the screens have in common: the first line, the footer, the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Footer

from tui.widgets.head import Head

if TYPE_CHECKING:
    from tui.app_actions import ActionApp
    from tui.live import Followed


class Page(Screen[None]):
    """A screen of the app. ``mode`` is its name; pages on top of one have that one's.

    ``watches_runs``: what a run has come to is shown on top of it when the run has ended.
    """

    mode: ClassVar[str] = ""
    about: ClassVar[str] = ""
    watches_runs: ClassVar[bool] = False
    VERTICAL_BREAKPOINTS = [(0, "-low"), (14, "-high")]  # noqa: RUF012 (Textual's own form)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.back", "Back", show=False),
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
        self.call_after_refresh(self.on_screen_resume)

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

    def follow(self, followed: Followed) -> None:
        """More of the log and the notes of what runs."""

    def beat(self) -> None:
        """Called a few times a second while something runs and the page is seen."""
