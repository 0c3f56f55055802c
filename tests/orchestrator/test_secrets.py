"""Nothing that a run leaves behind holds a credential, wherever it came from."""

from __future__ import annotations

from tests.conftest import Workshop
from tests.orchestrator.reading import manifests

SAID = "GET https://ann:s3cret@host/w.pt?token=t0ken"


def kept(workshop: Workshop) -> dict[str, bytes]:
    """Every file of the runs."""
    return {str(p): p.read_bytes() for p in workshop.runs.rglob("*") if p.is_file()}


def test_no_file_of_a_run_holds_a_credential(workshop: Workshop) -> None:
    workshop.environment |= {
        "TF_VAR_pw": "hunter2", "NVIDIA_API_KEY": "nvapi-1", "OMP_NUM_THREADS": "1",
        "XLA_FLAGS": "--x=https://ann:s3cret@host", "LD_PRELOAD": "", "FAKE_SAYS": SAID,
    }  # fmt: skip
    said = workshop.run("-k", "alpha and train").stderr
    assert "s3cret" not in said and "GET https://***@host" in said
    found = kept(workshop)
    assert any(
        path.endswith("log.txt") and b"GET https://***@host" in d for path, d in found.items()
    )
    assert any(path.endswith("events.jsonl") and b"?token=***" in d for path, d in found.items())
    for path, data in found.items():
        for secret in (b"s3cret", b"t0ken", b"hunter2", b"nvapi-1"):
            assert secret not in data, path
    (manifest,) = manifests(workshop).values()
    assert manifest.environment.variables["XLA_FLAGS"] == "--x=https://***@host"
    assert "TF_VAR_pw" not in manifest.environment.variables


def test_what_a_failing_cell_says_is_kept_without_them(workshop: Workshop) -> None:
    from tests.fakes.studies import write_study

    write_study(workshop.folder, behave="segfault")
    workshop.environment["FAKE_SAYS"] = SAID
    workshop.run("-k", "alpha and infer and batch_size=1", status=1)
    (manifest,) = [m for m in manifests(workshop).values() if m.status == "crashed"]
    assert "GET https://***@host/w.pt?token=***" in manifest.error
    assert not any(b"s3cret" in data for data in kept(workshop).values())
