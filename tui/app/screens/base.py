"""What the five screens have in common: the first line, the footer, the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Footer

from tui.app.widgets.head import Head

if TYPE_CHECKING:
    from tui.app.app import Repliquant
    from tui.app.stage import Followed


class Page(Screen[None]):
    """A screen of the app. ``mode`` is its name; pages on top of one have that one's."""

    mode: ClassVar[str] = ""
    about: ClassVar[str] = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.back", "Back", show=False),
    ]

    @property
    def kit(self) -> Repliquant:
        """The app, by its own type."""
        return cast("Repliquant", self.app)

    @property
    def settled(self) -> bool:
        """Whether its widgets are there; the timer doesn't wait for them."""
        return self.is_mounted and bool(self.query(Footer))

    def compose(self) -> ComposeResult:
        yield Head(self.mode)
        yield from self.body()
        yield Footer(compact=True, show_command_palette=False)

    def body(self) -> ComposeResult:
        """What stands between the first line and the footer."""
        yield from ()

    def on_screen_resume(self) -> None:
        self.query_one(Head).news = self.kit.news_line
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
