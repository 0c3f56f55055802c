"""Questions and small forms on top of a screen. Escape always means: leave it as it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Button, Input, Label, Select, Static
from textual.worker import get_current_worker

from tui.screens.dialog_base import Dialog
from tui.text import safe

_PAUSE_S = 0.4
_LONGEST = 4096
"""Of a text in a field: as long as a path can be."""


class Choice(NamedTuple):
    """A button: its key, its label, and the answer that it gives."""

    key: str
    label: str
    answer: str
    danger: bool = False


class Question(Dialog[str]):
    """Answers with the choice's answer, or with "" for escape."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "answer('')", "Cancel"),
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
    ]

    def __init__(self, title: str, lines: Sequence[str], choices: Sequence[Choice]) -> None:
        super().__init__()
        self._title, self._lines, self._choices = title, lines, choices

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Text(safe(self._title)), classes="title")
            if self._lines:
                yield Static(Text("\n".join(safe(line, 1000) for line in self._lines)))
            with Vertical(classes="buttons choices"):
                for choice in self._choices:
                    yield choice_button(choice)
                yield Button("Cancel (esc)", id="leave", compact=True)

    def on_mount(self) -> None:
        self.query_one("#leave", Button).focus()  # so that enter alone begins and ends nothing

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


def choice_button(choice: Choice) -> Button:
    """Its id tells which choice it is."""
    return Button(
        Content(f"{choice.label} ({choice.key})"),  # whatever is in it, it is no markup
        id=f"choice-{ord(choice.key)}",
        variant="error" if choice.danger else "primary",
        compact=True,
    )


class Asked(NamedTuple):
    """A field of a form. ``options`` are the values that are accepted; none: any text."""

    name: str
    label: str
    value: str
    options: tuple[str, ...] = ()
    hint: str = ""


class Form(Dialog[dict[str, str] | None]):
    """Gives back every field's text by its name, or None.

    ``check`` tells on a thread what is wrong with the answers, "" for nothing; the form stays,
    and its answers with it, until nothing is. ``live`` tells what they come to while they are made.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Cancel")]

    class Checked(Message):
        """Answers, and what is wrong with them."""

        def __init__(self, answers: dict[str, str], problem: str) -> None:
            super().__init__()
            self.answers, self.problem = answers, problem

    class Lived(Message):
        """What the answers come to so far."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(
        self,
        title: str,
        fields: Sequence[Asked],
        verb: str,
        note: str = "",
        check: Callable[[dict[str, str]], str] | None = None,
        live: Callable[[dict[str, str]], str] | None = None,
    ) -> None:
        super().__init__()
        self._title, self._fields, self._verb, self._note = title, fields, verb, note
        self._check, self._live = check, live
        self._due: Timer | None = None

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog", can_focus=False):
            yield Static(Text(safe(self._title)), classes="title")
            with Vertical(classes="field"):
                for asked in self._fields:
                    with Horizontal(classes="field"):
                        yield Label(Text(asked.label))
                        yield _editor(asked)
            if self._note:
                yield Static(Text(safe(self._note, 1000)), classes="dim")
            if self._live is not None:
                yield Static("planning …", id="live")
            yield Static(id="problem")
            with Horizontal(classes="buttons"):
                yield Button(self._verb, id="do", variant="primary", compact=True)
                yield Button("Cancel (esc)", id="leave", compact=True)

    def on_mount(self) -> None:
        self._changed()

    @on(Input.Changed)
    @on(Select.Changed)
    def _changed(self) -> None:
        """What the answers come to is told when nothing was typed for a moment."""
        if self._due is not None:
            self._due.stop()
        if self._live is not None:
            self._due = self.set_timer(_PAUSE_S, self._tell_live)

    def _tell_live(self) -> None:
        if self._live is not None:
            look = partial(self._look_ahead, self._live, self._answers())
            self.run_worker(look, thread=True, exclusive=True, group="live", exit_on_error=False)

    def _look_ahead(self, live: Callable[[dict[str, str]], str], answers: dict[str, str]) -> None:
        told = live(answers)
        if not get_current_worker().is_cancelled:
            self.post_message(self.Lived(told))

    @on(Lived)
    def _lived(self, event: Lived) -> None:
        text = "\n".join(safe(line, 1000) for line in event.text.split("\n"))
        self.query_one("#live", Static).update(Text(text))

    def _answers(self) -> dict[str, str]:
        return {asked.name: self._text(asked) for asked in self._fields}

    @on(Input.Submitted)
    @on(Button.Pressed, "#do")
    def _done(self) -> None:
        answers = self._answers()
        if self._check is None:
            self.dismiss(answers)
            return
        self._tell("checking …")
        look = partial(self._examine, self._check, answers)
        self.run_worker(look, thread=True, exclusive=True, exit_on_error=False)

    def _examine(self, check: Callable[[dict[str, str]], str], answers: dict[str, str]) -> None:
        problem = check(answers)
        if not get_current_worker().is_cancelled:
            self.post_message(self.Checked(answers, problem))

    @on(Checked)
    def _checked(self, event: Checked) -> None:
        if event.problem:
            self._tell(f"✗ {event.problem}")
        elif self.is_current:
            self.dismiss(event.answers)

    def _tell(self, text: str) -> None:
        line = self.query_one("#problem", Static)
        line.update(Text(safe(" ".join(text.split()), 1000)))
        line.add_class("told")
        # To the end, which is the whole of it and the buttons, wherever the form stood.
        self.call_after_refresh(self.query_one(".dialog").scroll_end, animate=False)

    @on(Button.Pressed, "#leave")
    def action_leave(self) -> None:
        self.dismiss(None)

    def _text(self, asked: Asked) -> str:
        editor = self.query_one(f"#field-{asked.name}")
        if isinstance(editor, Select):
            return "" if editor.is_blank() else str(editor.value)
        assert isinstance(editor, Input)
        untouched = editor.value == safe(asked.value, _LONGEST)
        return asked.value if untouched else editor.value.strip()


def _editor(asked: Asked) -> Input | Select[str]:
    if not asked.options:
        return Input(
            safe(asked.value, _LONGEST),
            placeholder=safe(asked.hint, _LONGEST),
            id=f"field-{asked.name}",
            compact=True,
        )
    return Select(
        [(option, option) for option in asked.options],
        value=asked.value,
        allow_blank=False,
        id=f"field-{asked.name}",
        compact=True,
    )
