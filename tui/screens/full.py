"""A text at its whole length, on top of the list that it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Button, Static

from tui.screens.dialog_base import Dialog
from tui.screens.dialogs import Choice, choice_button
from tui.text import safe


class Full(Dialog[str]):
    """Answers with the choice's answer, or with "" where it was only read."""

    DEFAULT_CSS = """
    Full #whole { height: auto; max-height: 70vh; scrollbar-size-vertical: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "answer('')", "Close"),
    ]

    def __init__(self, title: str, text: Text, choices: Sequence[Choice] = ()) -> None:
        super().__init__()
        self._title, self._text, self._choices = title, text, choices

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Text(safe(self._title)), classes="title")
            with VerticalScroll(id="whole"):
                yield Static(self._text)
            with Horizontal(classes="buttons"):
                for choice in self._choices:
                    yield choice_button(choice)
                yield Button("Close (esc)", id="leave", compact=True)

    def on_mount(self) -> None:
        self.query_one("#whole").focus()

    def on_key(self, event: events.Key) -> None:
        for choice in self._choices:
            if event.character == choice.key:
                event.stop()
                self.dismiss(choice.answer)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        answers = {choice_button(c).id: c.answer for c in self._choices}
        self.dismiss(answers.get(event.button.id, ""))

    def action_answer(self, answer: str) -> None:
        self.dismiss(answer)
