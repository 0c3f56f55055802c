"""``[slurm]`` of a configuration file, and what was given on the command line in its place.

The file is REPLIQUANT_CONFIG, else ``repliquant.toml`` in the working directory, else
``repliquant/config.toml`` in the user's folder for configuration. ``[slurm.site.NAME]`` counts on
the cluster of that name (``ClusterName`` in Slurm's configuration) and goes before ``[slurm]``.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from manifests import paths
from manifests.errors import InputError
from manifests.suggest import check

VARIABLE = "REPLIQUANT_CONFIG"
FILE_NAME = "repliquant.toml"
_TIME = re.compile(r"(\d+-)?\d+(:\d+){0,2}")
_given: dict[str, str] = {}


class SlurmSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How jobs are asked for; empty leaves it to the site.

    ``time`` is the longest that a job may be asked for (as sbatch takes it); a bundle asks for what
    the time limits of its cells add up to, and for no more than this. ``gres`` is what a cell on a
    GPU asks for. ``exclusive``: each job has its node for itself. ``cpus_per_task`` 0: all
    processors of the smallest node. ``at_once``: so many jobs of an array run at a time, 0: as
    many as the site lets. ``extra`` are further ``#SBATCH`` lines without that word.

    Cells whose estimates are under ``bundle_s`` seconds share jobs. ``late_s``: a file of another
    node may be seen so much later. ``ask_s``: the scheduler's answer is waited for so long, and it
    is asked no more often than every ``poll_s``; one that was silent is asked again after
    ``pause_s``, then twice that, and so on. ``lines``: of the script, before the cells.
    """

    partition: str = ""
    account: str = ""
    qos: str = ""
    constraint: str = ""
    reservation: str = ""
    time: str = ""
    gres: str = "gpu:1"
    exclusive: bool = True
    cpus_per_task: int = 0
    at_once: int = 0
    requeue: bool = True
    extra: list[str] = []
    lines: list[str] = []
    bundle_s: float = 120.0
    late_s: float = 120.0
    ask_s: float = 60.0
    poll_s: float = 10.0
    pause_s: float = 1.0

    def __post_init__(self) -> None:
        if self.time and not _TIME.fullmatch(self.time):
            raise ValueError(
                f"time = {self.time!r} is no time. Accepted, as sbatch does: "
                "minutes, hours:minutes:seconds, days-hours"
            )


def give(settings: Sequence[str]) -> None:
    """``partition=long`` and the like, from the command line. Raises InputError."""
    for text in settings:
        key, sign, value = text.partition("=")
        if not sign:
            raise InputError(f"--slurm {text!r} has no value; give KEY=VALUE, e.g. partition=long")
        check("setting", key, list(SlurmSettings.__struct_fields__), InputError)
        _given[key] = value


def read_settings(cluster: str = "") -> SlurmSettings:
    """What counts on that cluster. Raises InputError that names the file."""
    path = _file()
    table = _table(path) if path else {}
    sites = table.pop("site", {})
    if not isinstance(sites, Mapping):
        raise InputError(f"{path}: [slurm.site] must hold a table for each cluster by its name")
    wanted = {**table, **sites.get(cluster, {}), **_typed()}
    where = f"{path}: [slurm]" if path else "--slurm"
    for key in wanted:
        check(f"setting in {where}", key, list(SlurmSettings.__struct_fields__), InputError)
    try:
        return msgspec.convert(wanted, SlurmSettings, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        raise InputError(f"{where}: {error}") from error


def _typed() -> dict[str, object]:
    """Lists of the command line are separated by semicolons."""
    lists = ("extra", "lines")
    return {key: value.split(";") if key in lists else value for key, value in _given.items()}


def _file() -> Path | None:
    """Raises InputError when the one that the variable names isn't there."""
    named = os.environ.get(VARIABLE)
    if named:
        path = Path(os.path.expanduser(named))
        if not path.is_file():
            raise InputError(f"{VARIABLE}: {path} is not a file. Create it, or unset {VARIABLE}")
        return path
    places = [Path(FILE_NAME)]
    base = os.environ.get("XDG_CONFIG_HOME") or str((paths.home() or Path()) / ".config")
    places.append(Path(base) / "repliquant" / "config.toml")
    return next((path for path in places if path.is_file()), None)


def _table(path: Path) -> dict[str, object]:
    try:
        with open(path, "rb") as file:
            found = tomllib.load(file).get("slurm", {})
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} can't be read: {error}") from error
    if not isinstance(found, dict):
        raise InputError(f"{path}: [slurm] must be a table")
    return found
