"""The archive as a Process Run Crate: RO-Crate 1.1 metadata, made by the ``rocrate`` library.

Profile: https://w3id.org/ro/wfrun/process/0.5. Each cell is an action with its instrument (the
environment), what it worked on, what it left, and its error when it failed.
"""

from __future__ import annotations

import datetime
import json
import mimetypes
from collections.abc import Sequence
from typing import Any

from comparisons.archive.contents import About
from manifests.manifest import Manifest

PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
_DONE = "http://schema.org/CompletedActionStatus"
_FAILED = "http://schema.org/FailedActionStatus"


def metadata(
    about: About, title: str, files: Sequence[str], manifests: Sequence[Manifest]
) -> bytes:
    """``ro-crate-metadata.json``, the same for the same input."""
    from rocrate.model.contextentity import ContextEntity
    from rocrate.model.file import File
    from rocrate.rocrate import ROCrate

    crate = ROCrate(version="1.1")
    crate.name = f"Reproduction of: {title}"
    crate.description = (
        f"Run {about.run} of study {about.study} by Repliquant {about.kit}: plan, manifests with "
        "every raw sample, logs, the published tables, and everything derived from them."
    ) + (f" From copies of {len(about.copies)} files was {about.note}." if about.copies else "")
    crate.license = "https://www.apache.org/licenses/LICENSE-2.0"
    crate.datePublished = datetime.datetime.fromisoformat(about.date)
    crate.add(ContextEntity(crate, PROFILE, {"@type": "CreativeWork", "name": "Process Run Crate"}))
    crate.root_dataset["conformsTo"] = {"@id": PROFILE}
    for name in sorted(files):
        crate.add(
            File(crate, name, name, properties=_file_properties(name, about.copies.get(name)))
        )
    for instrument in _instruments(manifests):
        crate.add(ContextEntity(crate, instrument.pop("@id"), instrument))
    actions = [_action(manifest, set(files)) for manifest in manifests]
    for action in actions:
        crate.add(
            ContextEntity(crate, action["@id"], {k: v for k, v in action.items() if k != "@id"})
        )
    crate.root_dataset["mentions"] = [{"@id": action["@id"]} for action in actions]
    return json.dumps(crate.metadata.generate(), indent=1, sort_keys=True).encode() + b"\n"


def _file_properties(name: str, went: Sequence[str] | None) -> dict[str, Any]:
    known = {"md": "text/markdown", "toml": "application/toml", "jsonl": "application/jsonl"}
    kind = known.get(name.rpartition(".")[2]) or mimetypes.types_map.get(
        f".{name.rpartition('.')[2]}"
    )
    told = {"description": f"a copy without: {', '.join(went)}"} if went else {}
    return {"name": name, "encodingFormat": kind or "text/plain", **told}


def _instrument(manifest: Manifest) -> str:
    context = manifest.context
    return f"#environment-{context.image.name if context is not None else manifest.cell.framework}"


def _instruments(manifests: Sequence[Manifest]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for manifest in manifests:
        context = manifest.context
        known: dict[str, Any] = {"@id": _instrument(manifest), "@type": "SoftwareApplication"}
        known["name"] = _instrument(manifest).partition("-")[2]
        packages = manifest.environment.packages
        known["softwareRequirements"] = [f"{name} {version}" for name, version in packages.items()]
        if context is not None:
            known["version"] = context.image.digest or context.image.lock_sha256 or "unknown"
        if packages or known["@id"] not in found:
            found[known["@id"]] = known
    return [found[name] for name in sorted(found)]


def _action(manifest: Manifest, files: set[str]) -> dict[str, Any]:
    folder = f"cells/{manifest.id}"
    left = [f"{folder}/{name}" for name in ("manifest.json", "events.jsonl", "log.txt")]
    action: dict[str, Any] = {
        "@id": f"#cell-{manifest.id}",
        "@type": "CreateAction",
        "name": manifest.cell.title,
        "description": _description(manifest),
        "startTime": manifest.started_at,
        "endTime": _end(manifest),
        "instrument": {"@id": _instrument(manifest)},
        "object": [{"@id": "plan.json"}],
        "result": [{"@id": name} for name in left if name in files],
        "actionStatus": {"@id": _DONE if manifest.status == "ok" else _FAILED},
    }
    if manifest.cell.weights_from and f"cells/{manifest.cell.weights_from}/manifest.json" in files:
        action["object"].append({"@id": f"cells/{manifest.cell.weights_from}/manifest.json"})
    if manifest.status != "ok":
        action["error"] = f"{manifest.status}: {manifest.reason}"
    return action


def _description(manifest: Manifest) -> str:
    cell, context = manifest.cell, manifest.context
    recipe = ", ".join(f"{key} {value}" for key, value in cell.recipe.items())
    command = " ".join(context.command) if context is not None else ""
    what = f"{cell.study}, tier {cell.tier}, {cell.protocol}, data {cell.dataset}: {recipe}"
    return f"{what}; command: {command}" if command else what


def _end(manifest: Manifest) -> str:
    try:
        start = datetime.datetime.fromisoformat(manifest.started_at)
        return (start + datetime.timedelta(seconds=manifest.wall_s)).isoformat(timespec="seconds")
    except (ValueError, OverflowError):
        return manifest.started_at
