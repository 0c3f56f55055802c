"""Archives that nobody should open unguarded, each with the word its refusal has to contain.

``python -m tests.comparisons.hostile FOLDER`` verifies every archive in a folder in one process and
prints what came of each, and the memory it took.
"""

from __future__ import annotations

import io
import json
import struct
import sys
import tarfile
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from comparisons.archive import RefusedError, verify
from comparisons.archive.verification import as_line
from manifests.cell import sha256_hex

Files = dict[str, bytes]
FIRST_CELL = "cells/"
DEEP = b"[" * 100_000


def pack(files: Files, sums: bool = True) -> bytes:
    """A ZIP archive of these files, with right checksums unless it has some already."""
    if sums and "checksums.sha256" not in files:
        lines = [f"{sha256_hex(data)}  {name}\n" for name, data in sorted(files.items())]
        files = {**files, "checksums.sha256": "".join(lines).encode()}
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return output.getvalue()


def with_entry(files: Files, name: str, mode: int = 0, data: bytes = b"x") -> bytes:
    """One more entry whose name or kind ``pack`` would not write."""
    output = io.BytesIO(pack(files))
    with zipfile.ZipFile(output, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a second file of that name
        entry = zipfile.ZipInfo("placeholder")
        entry.filename = name
        entry.external_attr = mode << 16
        archive.writestr(entry, data)
    return output.getvalue()


def changed(files: Files, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """One file changed, and its checksum with it."""
    return pack({**files, name: change(files[name])})


def replaced(files: Files, name: str, old: bytes, new: bytes) -> bytes:
    assert old in files[name], (name, old)
    return changed(files, name, lambda data: data.replace(old, new, 1))


def containers(files: Files) -> Iterator[tuple[str, bytes, str]]:
    """What is no archive, or a broken one."""
    good = pack(files)
    end = good.rfind(b"PK\x05\x06")
    yield "empty", b"", "not a ZIP"
    yield "text", b"hello\n" * 100, "not a ZIP"
    yield "nul", bytes(5000), "not a ZIP"
    yield "half", good[: len(good) // 2], "not a ZIP"
    yield "no-end", good[:end], "not a ZIP"
    yield "short-end", good[: end + 10], "not a ZIP"
    yield "end-alone", good[end:], "ZIP"
    yield "count-lies", _end(good, count=60_001), "lists 60,001 files"
    yield "directory-size-lies", _end(good, size=2**31), "are allowed"
    yield "directory-offset-lies", _end(good, offset=2**32 - 2), "ZIP"
    yield "no-directory", _end(good, size=0, count=0), "no checksums"
    yield "zip64-nowhere", _with_locator(good, 2**60), "points outside"
    yield "zip64-broken", _with_locator(good, 0), "end is broken"
    yield "bad-crc", good.replace(good[14:18], b"abcd"), "ZIP"
    yield "bad-deflate", good[:60] + bytes(40) + good[100:], "ZIP"
    yield "bad-signature", b"XX" + good[2:], "ZIP"
    yield "encrypted", _flag(good, 8, 1), "encrypted"
    yield "bzip2", _flag(good, 10, 12), "compressed"
    yield "unknown-compression", _flag(good, 10, 99), "compressed"
    yield "tar", _tar(files), "not a ZIP"
    yield "zip-in-zip", pack({"inner.zip": good}), "no bundle"
    yield "many-entries", pack({f"f{n}": b"" for n in range(60_001)}, sums=False), "files"
    yield "directory-of-signatures", good[:end] + b"PK\x01\x02" * 70_000 + good[end:], "more files"


def _end(good: bytes, **changes: int) -> bytes:
    at = good.rfind(b"PK\x05\x06")
    count, size, offset = struct.unpack("<HLL", good[at + 10 : at + 20])
    fields = {"count": count, "size": size, "offset": offset, **changes}
    return good[: at + 10] + struct.pack("<HLL", *fields.values()) + good[at + 20 :]


def _with_locator(good: bytes, position: int) -> bytes:
    at = good.rfind(b"PK\x05\x06")
    return good[:at] + b"PK\x06\x07" + struct.pack("<LQL", 0, position, 1) + good[at:]


def _flag(good: bytes, at: int, value: int) -> bytes:
    """In the first entry of the directory."""
    entry = good.index(b"PK\x01\x02")
    return good[: entry + at] + struct.pack("<H", value) + good[entry + at + 2 :]


def _tar(files: Files) -> bytes:
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w:gz") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(f"../{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return output.getvalue()


NAMES = [
    "../outside", "a/../../outside", "/etc/outside", "//server/share", "C:/outside", "C:outside",
    "..\\outside", "a\\b", "", ".", "..", "a//b", "a/./b", "a/", ".hidden", "a/.git/config", "-rf",
    "~root/x", "new\nline", "\x1b[31mred", "right\u202eleft", "caf\u00e9", "a b", "a;b", "$(x)",
    "x" * 201, "a/" * 6 + "b", "con|x", "a*", "%2e%2e/x", "'", '"', "<x>", "nul\x00byte",
]  # fmt: skip
KINDS = {
    "link": 0o120777, "block-device": 0o060666, "character-device": 0o020666, "pipe": 0o010666,
    "socket": 0o140666, "folder": 0o040755,
}  # fmt: skip


def places(files: Files) -> Iterator[tuple[str, bytes, str]]:
    """Names and kinds of entries."""
    for number, name in enumerate(NAMES):
        yield f"name-{number}", with_entry(files, name), "a file called"
    for kind, mode in KINDS.items():
        yield kind, with_entry(files, "strange", mode, b"/etc/passwd"), "and no file"
    yield "twice", with_entry(files, "plan.json"), "twice"
    yield "twice-in-capitals", with_entry(files, "PLAN.JSON"), "twice"
    yield "file-and-folder", with_entry(files, "plan.json/x"), "as a file and as a folder"


def bombs(files: Files) -> Iterator[tuple[str, bytes, str]]:
    """Much from little."""
    zeros = bytes(15 * 2**20)
    yield "too-large", with_entry(files, "large", data=bytes(16 * 2**20 + 1)), "are allowed"
    yield "ratio", pack({f"f{n}": zeros for n in range(5)}, sums=False), "100 times its size"
    large = with_entry(files, "large", data=zeros)
    entry = large.rindex(b"PK\x01\x02")
    yield "size-lies", large[: entry + 24] + struct.pack("<L", 10) + large[entry + 28 :], "ZIP"


def sums(files: Files) -> Iterator[tuple[str, bytes, str]]:
    """Hashes that don't fit."""
    with_sums = _unpacked(pack(files))
    listed = with_sums["checksums.sha256"]
    yield "no-sums", pack(files, sums=False), "no checksums"
    yield "nothing", pack({}, sums=False), "no checksums"
    yield "changed", pack({**with_sums, "plan.json": b"{}"}), "plan.json was changed"
    yield "unlisted", pack({**with_sums, "more.txt": b"x"}), "more.txt is not listed"
    yield "missing", pack({k: v for k, v in with_sums.items() if k != "plan.json"}), "is missing"
    yield "listed-twice", pack({**with_sums, "checksums.sha256": listed * 2}), "stands twice"
    yield "sums-of-noise", pack({**with_sums, "checksums.sha256": b"\xff" * 999}), "that is none"
    traversal = listed + b"0" * 64 + b"  ../../etc/passwd\n"
    yield "sums-outside", pack({**with_sums, "checksums.sha256": traversal}), "is missing"


def _unpacked(data: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def contents(files: Files) -> Iterator[tuple[str, bytes, str]]:
    """Files whose hashes are right and whose contents are not."""
    manifest = next(n for n in files if n.endswith("/manifest.json") and b"0.002" in files[n])
    study = "study/toy"
    for name in ("bundle.json", "plan.json"):
        yield f"deep-{name}", pack({**files, name: DEEP}), "can't be read"
        yield f"nan-{name}", pack({**files, name: b'{"schema": NaN}'}), "can't be read"
        yield f"binary-{name}", pack({**files, name: bytes(range(256))}), "can't be read"
        yield f"empty-{name}", pack({**files, name: b""}), "can't be read"
    yield (
        "newer-bundle",
        replaced(files, "bundle.json", b"bundle/1", b"bundle/2"),
        "this version reads",
    )
    yield "other-study", replaced(files, "bundle.json", b'"toy"', b'"../x"'), "no folder for"
    yield "deep-manifest", pack({**files, manifest: DEEP}), "is not a manifest"
    yield "nan-manifest", replaced(files, manifest, b"0.002", b"NaN"), "is not a manifest"
    yield "infinite-manifest", replaced(files, manifest, b"0.002", b"Infinity"), "is not a manifest"
    yield "huge-number", replaced(files, manifest, b"0.002", b"1e999"), "is not a manifest"
    twice = replaced(files, manifest, b'"status":', b'"status":"ok","status":')
    yield "duplicate-key", twice, "twice"
    yield "other-id", replaced(files, manifest, b'"seed":', b'"seed":7'), "was edited"
    yield "newer-manifest", replaced(files, manifest, b"manifest/1", b"manifest/9"), "newer"
    many = b"[" + b"1," * 3_100_000 + b"1]"
    yield "many-values", replaced(files, manifest, b"[0.002", many[:-1]), "values"
    rows = b"framework,latency\n" + b"alpha,1\n" * 1_000_000
    yield "million-rows", pack({**files, f"{study}/published/table1.csv": rows}), "rows"
    for name, text in {
        "long-number": b"framework,latency\nalpha," + b"9" * 4000 + b"\n",
        "open-quote": b'framework,latency\nalpha,"1\n',
        "nul-in-csv": b"framework,latency\nal\x00pha,1x\n",
        "formula": b'framework,latency\nalpha,"=HYPERLINK(1)"\n',
        "wide-row": b"framework,latency\nalpha" + b",1" * 50_000 + b"\n",
    }.items():
        yield name, pack({**files, f"{study}/published/table1.csv": text}), "can't be evaluated"
    for name, text in {
        "deep-toml": b"claim = " + b"[" * 5000,
        "huge-toml": b"# " + b"x" * 2**21,
        "toml-of-digits": b"single_process = " + b"9" * 9000,
        "many-claims": _claims("1 < 2", count=201),
        "deep-expression": _claims("(" * 900 + "1" + ")" * 900 + " < 2"),
        "long-expression": _claims("1 + " * 5000 + "1 < 2"),
        "code-expression": _claims("__import__.os"),
        "unknown-table": _claims("other.latency > 1"),
    }.items():
        yield name, pack({**files, f"{study}/claims.toml": text}), "can't be evaluated"
    outside = replaced(files, f"{study}/published/tables.toml", b"table1.csv", b"../../../x.csv")
    yield "table-outside", outside, "is not a file beside it"
    root = replaced(files, f"{study}/published/tables.toml", b"table1.csv", b"/etc/passwd")
    yield "table-of-the-system", root, "is not a file beside it"
    sizes = b'[[granularity]]\nid="g"\ntable="table1"\ncolumns=["latency"]\nstated=1\n' + (
        b'largest=1000000000\nplace="p"\n'
    )
    yield "endless-audit", pack({**files, f"{study}/audit.toml": sizes}), "can't be evaluated"
    yield (
        "no-study-file",
        pack({k: v for k, v in files.items() if k != f"{study}/study.toml"}),
        ("can't be evaluated"),
    )
    derived = replaced(files, "derived/tables.md", b"Latency", b"Speed")
    yield "other-table", derived, "derived/tables.md comes out otherwise"
    script = replaced(files, "report.html", b"<main", b"<script>alert(1)</script><main")
    yield "other-report", script, "report.html comes out otherwise"
    yield "no-report", pack({k: v for k, v in files.items() if k != "report.html"}), "is missing"
    samples = replaced(files, manifest, b"0.002", b"0.0021")
    yield "other-samples", samples, "comes out otherwise"
    yield "more-derived", pack({**files, "derived/more.md": b"x"}), "is not derived"
    yield "strange-model", pack({**files, "artifacts/x/model.bin": b"x"}), "belongs to no manifest"


def _claims(test: str, count: int = 1) -> bytes:
    one = '[[claim]]\nid = "{}"\nplace = "p"\ntext = "t"\ntable = "table1"\ntest = "{}"\n'
    return "".join(one.format(f"c{n}", test) for n in range(count)).encode()


def cases(files: Files) -> dict[str, tuple[bytes, str]]:
    """All of them by name: the archive and what its refusal has to say."""
    found: dict[str, tuple[bytes, str]] = {}
    for group in (containers, places, bombs, sums, contents):
        for name, data, word in group(files):
            assert name not in found, name
            found[name] = (data, word)
    return found


def outcome(archive: Path, folder: Path) -> list[str]:
    """The refusal, or a line for each check."""
    try:
        return [as_line(check) for check in verify(archive, folder, lambda: "")]
    except RefusedError as error:
        return [f"refused: {error}"]


def main() -> None:
    results = {}
    for archive in sorted(Path(sys.argv[1]).glob("*.zip")):
        with tempfile.TemporaryDirectory() as folder:
            results[archive.stem] = outcome(archive, Path(folder))
    json.dump({"peak_kib": peak_kib(), "results": results}, sys.stdout)


def peak_kib() -> int:
    """This program's own; what getrusage says includes the process that started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


if __name__ == "__main__":
    main()
