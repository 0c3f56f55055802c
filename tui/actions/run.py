"""Starting, pausing and cancelling runs from the screen, with the questions that go before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.screens.dialogs import Choice, Question

if TYPE_CHECKING:
    from manifests.plan import PlannedCell
    from orchestrator.running.request import Request
    from tui.app import Repliquant
    from tui.loaders import State
    from tui.run_queue import Ended


class Running:
    """What a person does to runs. Methods are for the screen's thread."""

    def __init__(self, app: Repliquant) -> None:
        self._app = app

    def state_of(self, planned: PlannedCell) -> State:
        """What a cell of the plan has come to, the run that goes on included."""
        stage = self._app.stage
        cell = stage.course.cells.get(planned.id)
        if cell is not None and planned.id in stage.course.queued:
            if cell.state != "waiting":
                return cell.state, cell.reason
            if stage.conducting.active:
                return "queued", ""
        found = self._app.shelf.states.get(planned.id, ("waiting", ""))
        return ("can't run", planned.skip) if planned.skip and found[0] == "waiting" else found

    def start(self, request: Request) -> None:
        """Run it, or queue it behind what runs, and watch."""
        shelf = self._app.shelf
        if shelf.prepared is None:
            return
        self._app.stage.start(request, shelf.prepared.run, shelf.prepared.chosen)
        self._app.take_up_news()
        shelf.marked = set()
        self._app.switch_mode("run")

    def pause(self) -> None:
        """End after the cells that run now."""
        if self._app.refused("Pausing") or self._idle():
            return
        self._app.stage.conducting.pause()
        self._app.notify("The run ends after this cell; s goes on from there.")

    def ask_to_cancel(self) -> None:
        """Cancel after a question; a second time it kills."""
        if self._app.refused("Cancelling") or self._idle():
            return
        conducting = self._app.stage.conducting
        kill = conducting.cancelling
        title = "Kill the cells that still run?" if kill else "Cancel the run?"
        lines = ["Finished cells are kept; the cell that is cut off runs again when you go on."]
        choice = Choice("y", "Kill" if kill else "Cancel it", "yes", danger=True)

        def act(answer: str | None) -> None:
            if answer == "yes" and kill:
                conducting.kill()
            elif answer == "yes":
                conducting.cancel("cancelled from the screen")

        self._app.push_screen(Question(title, lines, [choice]), act)

    def ask_to_leave(self) -> None:
        """Leave at once when nothing runs, else with a question."""
        if not self._app.stage.conducting.active:
            self._app.exit("")
            return
        lines = ["Cells that are finished are kept, whatever you choose."]
        choices = [
            Choice("g", "Go on without the screen", "go-on"),
            Choice("p", "End after this cell", "pause"),
            Choice("c", "Cancel", "cancel", danger=True),
        ]
        self._app.push_screen(Question("A run goes on", lines, choices), self._leave)

    def tell_end(self, ended: Ended) -> None:
        """Say how a request came out."""
        if ended.error:
            self._app.complain(ended.error)
        else:
            self._app.notify(ended.told)

    def may(self, action: str) -> bool:
        """Whether there is a run that can be paused or cancelled now."""
        asked = self._app.stage.conducting.asked
        return asked == "run" if action == "pause" else bool(asked)

    def _leave(self, answer: str | None) -> None:
        conducting = self._app.stage.conducting
        if answer == "pause":
            conducting.pause()
        elif answer == "cancel":
            conducting.cancel("cancelled from the screen")
        if answer:
            self._app.exit("go-on")

    def _idle(self) -> bool:
        """Whether there is nothing to pause or cancel; it says so."""
        active = self._app.stage.conducting.active
        if not active:
            self._app.notify("Nothing runs.")
        return not active
