"""On which line of a TOML text each key stands: the standard library's reader doesn't say."""

from __future__ import annotations

import re
from typing import Dict, Iterator, List, Tuple, Union

Step = Union[str, int]
"""A key, or the number of an entry in an array of tables."""
Steps = Tuple[Step, ...]

_NAME = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_PATH = rf"{_NAME}(?:[ \t]*\.[ \t]*{_NAME})*"
_HEADER = re.compile(rf"[ \t]*(\[\[?)[ \t]*({_PATH})[ \t]*\]\]?[^\n]*\n?")
_KEY = re.compile(rf"[ \t]*({_PATH})[ \t]*=")
_OTHER = re.compile(r"[^\n]*\n?")
_VALUE = re.compile(
    r'"""(?:\\.|[^\\])*?"""|'
    r"'''.*?'''|"
    r'"(?:\\.|[^"\\\n])*"|'
    r"'[^'\n]*'|#[^\n]*|[\[\]{}]|\n",
    re.DOTALL,
)


def key_lines(text: str) -> Dict[Steps, int]:
    """Lines (from 1) by the steps to each table and key; what stands in braces has none."""
    lines: Dict[Steps, int] = {(): 1}
    counts: Dict[Steps, int] = {}
    table: Steps = ()
    for at, mark, names in _statements(text):
        line = text.count("\n", 0, at) + 1
        if mark:
            table = _table(names, counts, array=mark == "[[")
            lines.setdefault(table, line)
        else:
            for length in range(1, len(names) + 1):
                lines.setdefault((*table, *names[:length]), line)
    return lines


def line_of(text: str, steps: Steps, value: object = None) -> int:
    """The line of the deepest of these steps that stands there; with ``value``, where that is."""
    lines = key_lines(text)
    length = len(steps)
    while steps[:length] not in lines:
        length -= 1
    first = lines[steps[:length]]
    if value is None:
        return first
    within = [line for known, line in lines.items() if known[:length] == steps[:length]]
    after = sorted(line for line in lines.values() if line > max(within))
    last = after[0] if after else text.count("\n") + 2
    for number, content in enumerate(text.split("\n")[first - 1 : last - 1], start=first):
        if re.search(rf"(?<![\w.-]){re.escape(str(value))}(?![\w.-])", content):
            return number
    return first


def _statements(text: str) -> Iterator[Tuple[int, str, List[str]]]:
    """Where each header and key begins, its opening bracket if it is a header, and its names."""
    at = 0
    while at < len(text):
        header, key = _HEADER.match(text, at), _KEY.match(text, at)
        if header:
            yield at, header.group(1), _names(header.group(2))
            at = header.end()
        elif key:
            yield at, "", _names(key.group(1))
            at = _end_of_value(text, key.end())
        else:
            other = _OTHER.match(text, at)
            at = max(at + 1, other.end() if other else at + 1)


def _end_of_value(text: str, at: int) -> int:
    """Behind the line on which a value ends: brackets and long texts go over several."""
    depth = 0
    for token in _VALUE.finditer(text, at):
        sign = token.group()
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(sign, 0)
        if sign == "\n" and depth <= 0:
            return token.end()
    return len(text)


def _names(path: str) -> List[str]:
    return [name.strip("\"'") for name in re.findall(_NAME, path)]


def _table(names: List[str], counts: Dict[Steps, int], array: bool) -> Steps:
    """The steps to a header's table: through the last entry of each array on the way."""
    steps: Steps = ()
    for index, name in enumerate(names):
        steps = (*steps, name)
        if array and index == len(names) - 1:
            counts[steps] = counts.get(steps, -1) + 1
        if steps in counts:
            steps = (*steps, counts[steps])
    return steps
