"""A clock that a test sets."""


class Clock:
    """Gives ``now_s``; each call moves it on by ``step_s``."""

    def __init__(self, now_s: float = 0.0, step_s: float = 0.0) -> None:
        self.now_s = now_s
        self.step_s = step_s

    def __call__(self) -> float:
        self.now_s += self.step_s
        return self.now_s
