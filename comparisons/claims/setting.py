"""What differs between a paper's measurements and ours, of what a claim depends on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from manifests.manifest import Manifest
from papers.claims import Claim
from papers.study_types import Used

_NOT_SAID = "not stated"
_DEVICES = ("", "-cpu", "-gpu")


class Deviation(NamedTuple):
    """``what`` is one of hardware, data, recipe, versions; then what it is here, and in the paper.

    Where the paper doesn't say, nothing is known to be the same.
    """

    what: str
    here: str
    paper: str

    def __str__(self) -> str:
        return f"{self.what}: {self.here} (paper: {self.paper})"


def deviations(claim: Claim, used: Used, manifests: Iterable[Manifest]) -> list[Deviation]:
    """Of the cells behind a claim."""
    every = list(manifests)
    return [one for what, find in _OF.items() if what in claim.depends for one in find(used, every)]


def every_deviation(used: Used, manifests: Iterable[Manifest]) -> list[Deviation]:
    """Of a whole run, whatever its claims depend on."""
    every = list(manifests)
    return [one for find in _OF.values() for one in find(used, every)]


def _hardware(used: Used, manifests: Sequence[Manifest]) -> list[Deviation]:
    here = list(dict.fromkeys(map(_device, manifests)))
    others = [name for name in here if not any(one in name for one in used.hardware)]
    return _told("hardware", others, used.hardware)


def _device(manifest: Manifest) -> str:
    """The GPU that a cell ran on, else the processor."""
    machine = manifest.environment.machine
    if machine is None:
        return "unknown"
    if manifest.cell.device == "gpu":
        return ", ".join(dict.fromkeys(gpu.name for gpu in machine.gpus)) or "an unknown GPU"
    return machine.cpu or "an unknown processor"


def _data(used: Used, manifests: Sequence[Manifest]) -> list[Deviation]:
    here = dict.fromkeys(manifest.cell.dataset for manifest in manifests)
    return _told("data", [name for name in here if name not in used.datasets], used.datasets)


def _recipe(used: Used, manifests: Sequence[Manifest]) -> list[Deviation]:
    here = dict.fromkeys(manifest.cell.tier for manifest in manifests)
    others = [f"tier {tier}" for tier in here if tier != used.tier]
    return _told("recipe", others, [f"tier {used.tier}"])


def _versions(used: Used, manifests: Sequence[Manifest]) -> list[Deviation]:
    if not used.versions:
        return [Deviation("versions", _here(_frameworks(manifests)), _NOT_SAID)]
    seen = {
        (name, version)
        for packages in {id(m.environment): m.environment.packages for m in manifests}.values()
        for name in used.versions
        for version in [_version(packages, name)]
        if version
    }
    others = [
        f"{name} {version}"
        for name, version in sorted(seen)
        if not f"{version}.".startswith(f"{used.versions[name]}.")
    ]
    wanted = [f"{name} {version}" for name, version in used.versions.items()]
    if not seen:
        return [Deviation("versions", _here(_frameworks(manifests)), ", ".join(wanted))]
    return _told("versions", others, wanted)


def _version(packages: Mapping[str, str], name: str) -> str:
    """Some packages have other names where they are made for one kind of device, and some say _
    for -.
    """
    packages = {package.replace("_", "-"): version for package, version in packages.items()}
    return next((packages[f"{name}{of}"] for of in _DEVICES if f"{name}{of}" in packages), "")


def _frameworks(manifests: Sequence[Manifest]) -> list[str]:
    """Each with the version of the package that is called so, where there is one."""
    found: dict[str, None] = {}
    for manifest in manifests:
        framework = manifest.cell.framework
        version = _version(manifest.environment.packages, framework.removeprefix("py"))
        version = version or _version(manifest.environment.packages, framework)
        found[f"{framework} {version}".strip()] = None
    return list(found)


def _told(what: str, others: Sequence[str], paper: Sequence[str]) -> list[Deviation]:
    return [Deviation(what, _here(others), " or ".join(paper) or _NOT_SAID)] if others else []


def _here(names: Sequence[str]) -> str:
    return ", ".join(names) or "unknown"


_OF: dict[str, Callable[[Used, Sequence[Manifest]], list[Deviation]]] = {
    "hardware": _hardware, "data": _data, "recipe": _recipe, "versions": _versions,
}  # fmt: skip
