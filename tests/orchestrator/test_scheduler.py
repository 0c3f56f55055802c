"""Which cells run at once: one a GPU side by side, one on processors alone, all in their order."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.manifest import Manifest
from manifests.plan import PlannedCell
from orchestrator.planning.resuming import Todo
from orchestrator.running.scheduler import Scheduler, Slot, gpu_slots
from tests.manifests.samples import a_cell, a_manifest

LONG_S = 120.0
WHOLE = Slot(cpus=(0, 1))


def todo(number: int, device: str = "gpu", needs: Sequence[str] = (), skip: str = "") -> Todo:
    cell = a_cell(device=device, repeat=number)
    planned = PlannedCell(
        id=str(number), cell=cell, image="none", needs=list(needs), estimate_s=1.0,
        study_estimate_s=1.0, estimate_source="", timeout_s=1.0, skip=skip,
    )  # fmt: skip
    return Todo(planned, "")


class Recorder:
    """A worker that keeps what runs beside what; ``work`` is done while a cell runs."""

    def __init__(self, work: Callable[[Todo], None] = lambda todo: None) -> None:
        self.work = work
        self.lock = threading.Lock()
        self.running: dict[str, tuple[Todo, Slot]] = {}
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.beside: list[tuple[Todo, Slot, list[tuple[Todo, Slot]], list[str]]] = []
        self.cancelled: list[str] = []
        self.killed = 0
        self.stop = threading.Event()
        self.die = threading.Event()

    def run(self, todo: Todo, lane: Slot) -> Manifest:
        number = todo.planned.id
        with self.lock:
            self.begun.append(number)
            self.beside.append((todo, lane, list(self.running.values()), list(self.ended)))
            self.running[number] = (todo, lane)
        try:
            self.work(todo)
        finally:
            with self.lock:
                del self.running[number]
                self.ended.append(number)
        return a_manifest(todo.planned.cell, reason=number)

    def cancel(self, reason: str) -> None:
        self.cancelled.append(reason)
        self.stop.set()

    def kill(self) -> None:
        self.killed += 1
        self.die.set()


def interrupt(until: threading.Event, elsewhere: bool) -> bool:
    """One Ctrl-C, and whether it was seen. ``elsewhere``: it does not wake the main thread, as
    where it comes just before that begins to wait.
    """
    if elsewhere:
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)
    else:
        os.kill(os.getpid(), signal.SIGINT)
    return until.wait(LONG_S)


def never() -> bool:
    return False


def lanes(count: int) -> list[Slot]:
    return [Slot((str(number),), (number,)) for number in range(count)]


@pytest.mark.parametrize(
    ("gpus", "cpus", "usable", "expected"),
    [
        ([], (), [0, 1], []),
        (["0"], (), [0, 1], [Slot(("0",), ())]),
        (["3"], (4, 5), range(8), [Slot(("3",), (4, 5))]),
        (["0", "1"], (), [0, 1, 2, 3], [Slot(("0",), (0, 1)), Slot(("1",), (2, 3))]),
        (["0", "1"], (), [2, 5, 7], [Slot(("0",), (2,)), Slot(("1",), (5,))]),
        (["0", "1"], (1, 3, 5, 7), range(8), [Slot(("0",), (1, 3)), Slot(("1",), (5, 7))]),
        (["0", "1", "2"], (), [0, 1], [Slot((gpu,), ()) for gpu in "012"]),
        (["0", "1", "2"], (5,), range(8), [Slot((gpu,), (5,)) for gpu in "012"]),
    ],
)
def test_processors_are_shared_out_among_gpus(
    gpus: list[str], cpus: tuple[int, ...], usable: Sequence[int], expected: list[Slot]
) -> None:
    assert gpu_slots(gpus, cpus, usable) == expected


@given(gpus=st.integers(1, 16), cpus=st.lists(st.integers(0, 255), unique=True, max_size=64))
def test_no_processor_is_in_two_lanes_and_none_is_smaller(gpus: int, cpus: list[int]) -> None:
    made = gpu_slots([str(number) for number in range(gpus)], (), sorted(cpus))
    parts = [lane.cpus for lane in made]
    assert len(made) == gpus
    assert len({len(part) for part in parts}) == 1
    assert len({cpu for part in parts for cpu in part}) == sum(map(len, parts))


def test_cells_on_gpus_run_side_by_side_as_many_as_there_are_gpus() -> None:
    meeting = threading.Barrier(3, timeout=LONG_S)
    recorder = Recorder(lambda todo: meeting.wait() and None)
    ended = Scheduler(lanes(3), WHOLE, recorder).work([todo(n) for n in range(6)], never)
    assert sorted(manifest.reason for manifest in ended) == list("012345")
    used = [lane for _, lane, _, _ in recorder.beside]
    assert {lane.gpus for lane in used} == {("0",), ("1",), ("2",)}


def test_a_cell_on_processors_has_the_machine_to_itself() -> None:
    cells = [todo(0), todo(1, "cpu"), todo(2, "cpu"), todo(3), todo(4), todo(5, "cpu")]
    recorder = Recorder(lambda todo: time.sleep(0.01))
    Scheduler(lanes(2), WHOLE, recorder).work(cells, never)
    alone = {t.planned.id: (lane, beside) for t, lane, beside, _ in recorder.beside}
    for number in "125":
        assert alone[number] == (WHOLE, [])


def test_a_free_gpu_does_not_let_a_cell_overtake_another() -> None:
    """The interleaving of repeats would be lost."""
    release = threading.Event()
    recorder = Recorder(lambda t: release.wait(LONG_S) if t.planned.id == "0" else None)
    cells = [todo(0), todo(1, "cpu"), todo(2), todo(3)]
    thread = threading.Thread(target=Scheduler(lanes(2), WHOLE, recorder).work, args=(cells, never))
    thread.start()
    time.sleep(0.1)
    assert recorder.begun == ["0"]
    release.set()
    thread.join(LONG_S)
    assert recorder.begun == list("0123")


def test_a_cell_waits_for_the_weights_it_starts_from() -> None:
    release = threading.Event()
    recorder = Recorder(lambda t: release.wait(LONG_S) if t.planned.id == "0" else None)
    cells = [todo(0), todo(1, needs=["0"]), todo(2)]
    thread = threading.Thread(target=Scheduler(lanes(3), WHOLE, recorder).work, args=(cells, never))
    thread.start()
    time.sleep(0.1)
    assert recorder.begun == ["0"]
    release.set()
    thread.join(LONG_S)
    assert recorder.begun == list("012")


@pytest.mark.parametrize("skip", ["", "needs an NVIDIA GPU; none was found"])
def test_a_cell_that_no_gpu_is_there_for_is_not_waited_for_forever(skip: str) -> None:
    recorder = Recorder()
    ended = Scheduler([], WHOLE, recorder).work([todo(0, skip=skip), todo(1, "cpu")], never)
    assert [manifest.reason for manifest in ended] == ["0", "1"]


@given(
    kinds=st.lists(st.sampled_from(["gpu", "cpu", "skip", "needy"]), max_size=12),
    count=st.integers(1, 4),
    pauses=st.lists(st.sampled_from([0, 0.001, 0.003]), min_size=12, max_size=12),
)
def test_the_rules_hold_for_any_plan(kinds: list[str], count: int, pauses: list[float]) -> None:
    cells = [
        todo(
            number,
            "cpu" if kind == "cpu" else "gpu",
            needs=[str(number - 1)] if kind == "needy" and number else [],
            skip="no" if kind == "skip" else "",
        )
        for number, kind in enumerate(kinds)
    ]
    recorder = Recorder(lambda t: time.sleep(pauses[int(t.planned.id)]))
    ended = Scheduler(lanes(count), WHOLE, recorder).work(cells, never)
    numbers = [str(number) for number in range(len(kinds))]
    assert sorted(manifest.reason for manifest in ended) == sorted(numbers)
    assert [t.planned.id for t, *_ in recorder.beside] == recorder.begun
    for started, lane, beside, over in recorder.beside:
        assert set(started.planned.needs) <= set(over)
        if lane is WHOLE:
            assert beside == []
        else:
            assert started.planned.cell.device == "gpu" and not started.planned.skip
            others = [other for _, other in beside]
            assert WHOLE not in others
            assert lane.gpus not in [other.gpus for other in others]
    for place, number in enumerate(recorder.begun):
        # Two that start together may be seen in either order, others not.
        assert abs(place - int(number)) < count


def test_nothing_starts_once_it_is_paused_and_what_runs_ends() -> None:
    recorder = Recorder()
    ended = Scheduler(lanes(1), WHOLE, recorder).work(
        [todo(n) for n in range(5)], lambda: len(recorder.begun) >= 2
    )
    assert [manifest.reason for manifest in ended] == ["0", "1"]


def test_an_error_ends_the_others_and_is_raised_when_they_have_ended() -> None:
    running = threading.Event()

    def work(t: Todo) -> None:
        if t.planned.id == "1":
            assert running.wait(LONG_S)
            raise OSError(28, "No space left on device")
        running.set()
        assert recorder.stop.wait(LONG_S)

    recorder = Recorder(work)
    with pytest.raises(OSError, match="No space left on device"):
        Scheduler(lanes(2), WHOLE, recorder).work([todo(n) for n in range(4)], never)
    assert recorder.cancelled == ["[Errno 28] No space left on device"]
    assert sorted(recorder.begun) == sorted(recorder.ended) == ["0", "1"]


def test_of_two_errors_at_once_one_is_raised() -> None:
    together = threading.Barrier(2, timeout=LONG_S)

    def work(t: Todo) -> None:
        together.wait()
        raise ValueError(t.planned.id)

    with pytest.raises(ValueError, match=r"^[01]$"):
        Scheduler(lanes(2), WHOLE, Recorder(work)).work([todo(n) for n in range(3)], never)


@pytest.mark.parametrize("elsewhere", [False, True], ids=["main thread", "another thread"])
def test_ctrl_c_asks_every_running_cell_to_end_and_waits_for_them(elsewhere: bool) -> None:
    together = threading.Barrier(2, timeout=LONG_S)
    seen: list[bool] = []

    def work(t: Todo) -> None:
        if together.wait() == 0:
            seen.append(interrupt(recorder.stop, elsewhere))
        assert recorder.stop.wait(2 * LONG_S)

    recorder = Recorder(work)
    with pytest.raises(KeyboardInterrupt):
        Scheduler(lanes(2), WHOLE, recorder).work([todo(n) for n in range(4)], never)
    assert seen == [True]
    assert recorder.cancelled == ["interrupted"]
    assert recorder.killed == 0
    assert set(recorder.ended) == {"0", "1"}


@pytest.mark.parametrize("elsewhere", [False, True], ids=["main thread", "another thread"])
@pytest.mark.parametrize("asking", [False, True], ids=["while waiting", "while asking"])
def test_a_second_ctrl_c_kills_them(asking: bool, elsewhere: bool) -> None:
    """Asking can take long as well: a daemon that hangs is asked."""
    seen: list[bool] = []

    def work(t: Todo) -> None:
        seen.append(interrupt(recorder.stop, elsewhere))
        seen.append(interrupt(recorder.die, elsewhere))

    def cancel(reason: str) -> None:
        recorder.stop.set()
        while asking and not recorder.die.wait(1):
            pass

    recorder = Recorder(work)
    recorder.cancel = cancel  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        Scheduler(lanes(1), WHOLE, recorder).work([todo(0)], never)
    assert seen == [True, True]
    assert recorder.killed == 1
    assert recorder.ended == ["0"]


def test_ctrl_c_kills_them_too_where_an_error_was_just_about_to_end_them() -> None:
    class Broken(Exception):
        def __str__(self) -> str:
            raise KeyboardInterrupt

    def work(t: Todo) -> None:
        together.wait()
        if t.planned.id == "0":
            raise Broken
        assert recorder.die.wait(LONG_S)

    together = threading.Barrier(2, timeout=LONG_S)
    recorder = Recorder(work)
    with pytest.raises(Broken):
        Scheduler(lanes(2), WHOLE, recorder).work([todo(n) for n in range(3)], never)
    assert recorder.killed == 1
    assert set(recorder.ended) == {"0", "1"}


def probe(number: int) -> Todo:
    found = todo(number, device="cpu")
    cell = a_cell(task="probe", feature="lstm", repeat=number)
    return found._replace(planned=msgspec.structs.replace(found.planned, cell=cell))


def test_probes_run_beside_one_another_and_beside_nothing_else() -> None:
    both = threading.Barrier(2, timeout=LONG_S)

    def work(item: Todo) -> None:
        if item.planned.cell.task == "probe":
            both.wait()

    recorder = Recorder(work)
    items = [probe(0), probe(1), todo(2, "cpu"), todo(3), probe(4), probe(5)]
    scheduler = Scheduler([Slot(("0",))], WHOLE, recorder, untimed=2)
    scheduler.work(items, lambda: False)

    assert sorted(recorder.ended) == ["0", "1", "2", "3", "4", "5"]
    for item, slot, beside, _ in recorder.beside:
        untimed = item.planned.cell.task == "probe"
        assert all((other.planned.cell.task == "probe") == untimed for other, _ in beside)
        assert slot == (WHOLE if item.planned.id != "3" else Slot(("0",)))


def test_a_probe_that_cells_are_compared_with_runs_alone() -> None:
    recorder = Recorder()
    Scheduler([], WHOLE, recorder).work([probe(0), probe(1)], lambda: False)

    assert all(not beside for _, _, beside, _ in recorder.beside)
