"""How a value that isn't accepted is answered: what was given, a near match, what there is."""

from __future__ import annotations

from typing import Collection, Iterable, Type, TypeVar

from manifests.errors import RepliquantError

Value = TypeVar("Value")


def nearest(word: str, accepted: Iterable[str]) -> str:
    """`` Did you mean 'x'?`` for a near match, else an empty string."""
    import difflib  # only a mistake needs it

    close = difflib.get_close_matches(word, list(accepted), n=1, cutoff=0.5)
    return f" Did you mean {close[0]!r}?" if close else ""


def unknown(
    what: str,
    value: object,
    accepted: Iterable[object],
    before: str = "",
    after: str = "",
    choices: str = "",
) -> str:
    """For example ``no technique 'x'. Did you mean 'y'? Accepted: y, z``.

    ``before`` and ``after`` stand around the problem (``study.toml: ``, `` here``); ``choices`` is
    what there is in other words than the list of all.
    """
    names = [str(one) for one in accepted]
    problem = f"{before}no {what} {str(value)!r}{after}."
    return (
        f"{problem}{nearest(str(value), names)} Accepted: {choices or ', '.join(names) or 'none'}"
    )


def check(
    what: str,
    value: Value,
    accepted: Collection[Value],
    error: Type[RepliquantError],
    before: str = "",
    after: str = "",
) -> Value:
    """``value``, if it is one of ``accepted``; raises ``error`` with the message of ``unknown``."""
    if value not in accepted:
        raise error(unknown(what, value, accepted, before, after))
    return value
