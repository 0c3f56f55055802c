"""Starting, pausing and cancelling runs from the screen, with the questions that go before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.phrases import duration
from tui.loaded import Loaded
from tui.screens.dialogs import Choice, Question

if TYPE_CHECKING:
    from manifests.plan import PlannedCell
    from orchestrator.running.request import Request
    from services.more_processes import MoreProcesses
    from services.run_state import CellState
    from tui.app_base import AppBase
    from tui.loaders import State


class RunActions:
    """What a person does to runs. Methods are for the screen's thread."""

    def __init__(self, app: AppBase) -> None:
        self._app = app

    def state_of(self, planned: PlannedCell) -> State:
        """What a cell of the plan has come to, the run that goes on included."""
        live = self._app.live
        cell = live.run_state.cells.get(planned.id)
        if cell is not None and planned.id in live.run_state.queued:
            if cell.state != "waiting":
                return cell.state, cell.reason
            if live.queue.active:
                return "queued", ""
        found = self._app.data.states.get(planned.id, ("waiting", ""))
        return ("can't run", planned.skip) if planned.skip and found[0] == "waiting" else found

    def start(self, request: Request) -> None:
        """Run it, or queue it behind what runs, and watch."""
        data = self._app.data
        if data.prepared is None:
            return
        self._app.live.start(request, data.prepared.run, data.prepared.chosen)
        self._app.take_up_messages()
        data.marked = set()
        self._app.switch_mode("run")

    @property
    def can_go_on(self) -> bool:
        """Whether the run that was shown ended before its last cell, and nothing runs."""
        live = self._app.live
        state = live.run_state
        left = state.outcome in ("paused", "cancelled", "failed") and state.done < state.total
        early = state.outcome in ("paused", "cancelled") and not state.total
        return bool(live.request and (left or early) and not live.queue.active)

    def go_on(self) -> None:
        """Run what is left of it, at once: it was asked for before."""
        live = self._app.live
        if self._app.refused("Running cells") or live.request is None or live.run is None:
            return
        chosen = [cell.planned for cell in live.run_state.cells.values()]
        live.start(live.request._replace(rerun=()), live.run, chosen)
        self._app.take_up_messages()

    def ask_to_retry(self, cell: CellState) -> None:
        """Run one cell again that has come to its end."""
        live = self._app.live
        if self._app.refused("Running cells") or live.request is None or live.run is None:
            return
        if cell.state in ("waiting", "running"):
            self._app.notify("It has no result yet: R runs a cell again that has one.")
            return
        id_ = cell.planned.id
        request = live.request._replace(expression=f"id={id_}", rerun=(id_,))
        run = live.run
        lines = [cell.planned.cell.title, "What it left is put aside, not deleted."]
        busy = ["It waits until the run that goes on has ended."] if live.queue.active else []

        def act(answer: str | None) -> None:
            if answer == "yes":
                live.start(request, run, [cell.planned])
                self._app.take_up_messages()

        choice = Choice("y", "Run again", "yes", danger=True)
        self._app.push_screen(Question("Run again: 1 cell", [*lines, *busy], [choice]), act)

    def ask_for_more(self, planned: PlannedCell) -> None:
        """Two more processes of a cell, which the run's plan has from then on."""
        live = self._app.live
        request, run = live.request, live.run
        if self._app.refused("Running cells") or request is None or run is None:
            return
        if planned.skip:
            self._app.notify("This cell can't run here.")
            return
        lines = [
            planned.cell.title,
            f"Two more processes, about {duration(2 * planned.estimate_s)}. Intervals and verdicts"
            " take them in; those of before stay.",
        ]
        lines += ["They wait until the run that goes on has ended."] if live.queue.active else []

        def look() -> None:
            from services.more_processes import more_processes

            self._app.post_message(Loaded(more_processes(request, run, planned)))

        def act(answer: str | None) -> None:
            if answer == "yes":
                self._app.run_worker(look, thread=True, group="more", exit_on_error=False)

        choice = Choice("y", "Measure again", "yes")
        self._app.push_screen(Question("Add repeats: 2 processes of 1 cell", lines, [choice]), act)

    def start_more(self, more: MoreProcesses) -> None:
        """Run them, or queue them behind what runs."""
        self._app.live.start(more.request, more.run, more.cells)
        self._app.take_up_messages()

    def pause(self) -> None:
        """End after the cells that run now."""
        if self._app.refused("Pausing") or self._idle():
            return
        self._app.live.queue.pause()
        self._app.notify("The run ends after this cell; s goes on from there.")

    def ask_to_cancel(self) -> None:
        """Cancel after a question; a second time it kills."""
        if self._app.refused("Cancelling") or self._idle():
            return
        queue = self._app.live.queue
        kill = queue.cancelling
        title = "Kill the cells that still run?" if kill else "Cancel the run?"
        lines = ["Finished cells are kept; the cell that is cut off runs again when you go on."]
        choice = Choice("y", "Kill" if kill else "Cancel it", "yes", danger=True)

        def act(answer: str | None) -> None:
            if answer == "yes" and kill:
                queue.kill()
            elif answer == "yes":
                queue.cancel("cancelled from the screen")

        self._app.push_screen(Question(title, lines, [choice]), act)

    def ask_to_leave(self) -> None:
        """Leave at once when nothing runs, else with a question."""
        if not self._app.live.queue.active:
            self._app.exit("")
            return
        lines = ["Cells that are finished are kept, whatever you choose."]
        choices = [
            Choice("g", "Go on without the screen", "go-on"),
            Choice("p", "End after this cell", "pause"),
            Choice("c", "Cancel", "cancel", danger=True),
        ]
        self._app.push_screen(Question("A run goes on", lines, choices), self._leave)

    def may(self, action: str) -> bool:
        """Whether there is a run that can be paused or cancelled now."""
        asked = self._app.live.queue.asked
        return asked == "run" if action == "pause" else bool(asked)

    def _leave(self, answer: str | None) -> None:
        queue = self._app.live.queue
        if answer == "pause":
            queue.pause()
        elif answer == "cancel":
            queue.cancel("cancelled from the screen")
        if answer:
            self._app.exit("go-on")

    def _idle(self) -> bool:
        """Whether there is nothing to pause or cancel; it says so."""
        active = self._app.live.queue.active
        if not active:
            self._app.notify("Nothing runs.")
        return not active
