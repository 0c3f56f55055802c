"""What lies in the folders of runners, found by name: frameworks, techniques, protocols.

Nothing is imported: a planner asks here on a machine that has no framework at all.

A framework is a folder with ``framework.toml`` (see manifests.framework), a technique a file in
it, a protocol a file in ``protocols/``. Names of files have underscores where names have dashes.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, List, Tuple

from manifests.errors import InputError
from manifests.framework import FRAMEWORK_FILE, Framework, FrameworkError, read_framework
from manifests.models import MODELS
from manifests.paths import distinct, files, runner_roots
from manifests.suggest import nearest

PROTOCOLS = "protocols"
AVERAGE = "AVERAGE"
"""The constant of a protocol's file: how samples become one number, ``median`` or ``mean``."""
VARIANTS = "VARIANTS"
"""The constant of a technique's file: what each of its variants is, by the variant's name."""


def framework_folders() -> Dict[str, Path]:
    """The folder of every framework, by name. Raises InputError for a name that occurs twice."""
    found = [path.parent for root in runner_roots() for path in root.glob(f"*/{FRAMEWORK_FILE}")]
    return distinct("framework", ((folder.name, folder) for folder in found))


def protocol_files() -> Dict[str, Path]:
    """The file of every protocol, by the name that cells have. Raises InputError as above."""
    return files("protocol", [root / PROTOCOLS for root in runner_roots()])


def technique_files(framework: str) -> Dict[str, Path]:
    """The file of every technique, by name; empty for a framework that isn't there.

    They lie in its folder, and in those of its name elsewhere on REPLIQUANT_PATH. Raises
    InputError as above.
    """
    if framework not in framework_folders():
        return {}
    return files(f"{framework} technique", [root / framework for root in runner_roots()])


def variants(framework: str, technique: str) -> Dict[str, str]:
    """What each variant of a technique is, by name; empty where it has none, or isn't there."""
    path = technique_files(framework).get(technique)
    found = _constant(path, VARIANTS, path.stat().st_mtime_ns) if path else None
    return found if isinstance(found, dict) else {}


def framework(name: str) -> Framework:
    """What is known of a framework. Raises InputError, with those there are, FrameworkError."""
    folders = framework_folders()
    known(name, folders, "framework")
    path = folders[name] / FRAMEWORK_FILE
    return _framework(path, path.stat().st_mtime_ns)


def model_names(name: str) -> List[str]:
    """The networks that a framework's runners build. Raises InputError, FrameworkError."""
    return [*MODELS, *framework(name).models]


def readable_frameworks() -> Dict[str, Framework]:
    """All of them, by name, but for those whose file can't be read."""
    found: Dict[str, Framework] = {}
    for name in framework_folders():
        try:
            found[name] = framework(name)
        except (FrameworkError, OSError):
            continue  # it harms nobody but itself, and is refused where it is asked for
    return found


def average(protocol: str) -> str:
    """How the samples of a cell become one number; the median where its protocol isn't there."""
    path = protocol_files().get(protocol)
    found = _constant(path, AVERAGE, path.stat().st_mtime_ns) if path else None
    return "mean" if found == "mean" else "median"


def known(name: str, accepted: Dict[str, Path], what: str) -> None:
    """Raises InputError that lists what is accepted."""
    if name not in accepted:
        raise InputError(
            f"no {what} {name!r}.{nearest(name, accepted)} Accepted: {', '.join(accepted)}"
        )


def check_variant(framework: str, technique: str, variant: str) -> None:
    """Raises InputError for a variant that the technique doesn't have."""
    there = variants(framework, technique)
    if variant and variant not in there:
        accepted = ", ".join(there) if there else "none (it has no variants)"
        raise InputError(
            f"no variant {variant!r} of {framework} technique {technique!r}."
            f"{nearest(variant, there)} Accepted: {accepted}"
        )


@lru_cache(maxsize=None)
def _framework(path: Path, changed_ns: int) -> Framework:
    return read_framework(path)


@lru_cache(maxsize=None)
def _constant(path: Path, wanted: str, changed_ns: int) -> Any:
    """The plain value of a file's constant; None without one.

    Raises InputError for one that isn't plain, or a file that isn't Python.
    """
    try:
        for statement in ast.parse(path.read_text(encoding="utf-8")).body:
            name, value = _assigned(statement)
            if name == wanted:
                return ast.literal_eval(value)
    except (SyntaxError, ValueError) as error:
        raise InputError(f"{path}: {wanted} is not a plain value: {error}") from None
    return None


def _assigned(statement: ast.stmt) -> Tuple[str, ast.expr]:
    """The name and value of ``NAME = value`` and ``NAME: type = value``."""
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id, statement.value
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return statement.target.id, statement.value or ast.Constant(None)
    return "", ast.Constant(None)
