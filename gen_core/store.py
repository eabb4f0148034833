"""The content store: copies of the user's files, known by the digest of their bytes and by nothing else.

It lives in `$LATENT_HOME` (default: the user's data folder of this system). A recipe names a file as `sha256:…`, so a
link means the same file wherever it is opened; names of files stay on this machine, for its user's eyes only. Where people
sign in, each has a store of their own, and a digest means a file of theirs or nothing.

Of a DICOM file, and of a zip or folder that holds one, a copy without anything that names a patient is kept in its place,
and no name of a file: patients' names stand there, too. Of a NIfTI file, a copy without the texts of its header. The digest is
that of the copy, the same wherever it is made.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from gen_core import owner, quotas, settings
from gen_core.errors import CheckpointError, InputError, MissingContent, OutputError, UserError
from gen_core.recipe import DIGEST
from gen_core.result import discard, disk_sentence, flush_one

CHUNK = 1 << 20
LEFT = 86_400.0  # seconds after which something half written counts as left behind


@dataclass(frozen=True)
class Entry:
    """One stored file. `name` is what its user called it; it is shown on this machine and never leaves it."""

    digest: str
    name: str
    size: int  # bytes
    used: float  # seconds since the epoch


def home() -> Path:
    """Where everything that outlives a session is kept."""
    import platformdirs

    return Path(os.environ.get("LATENT_HOME") or platformdirs.user_data_dir("latent-sandbox"))


def place() -> Path:
    """Where the files, models, runs and jobs are of the person this is done for: `home()` where nobody signs in, else a folder
    of their own in it. Raises InputError where this is done for nobody, though people sign in."""
    who = owner.current()
    if who is None:
        if owner.needed():
            raise InputError("Sign in first: what is kept here belongs to whoever kept it.")
        return home()
    owner.touch()
    folder = home() / "people" / who
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(disk_sentence(error, Path("your folder"))) from None
    return folder


def limit() -> int:
    """Bytes that the store may hold: `$LATENT_STORE_GIB` (default 50). Raises InputError where that is no number."""
    return settings.gib("LATENT_STORE_GIB", 50)


def add(source: Path | IO[bytes], name: str = "") -> str:
    """Copy a file into the store and return its digest; a file already there is not copied twice.

    Raises InputError where the source cannot be read, is larger than the store may be, or is a DICOM file without an image
    that can be read; OutputError on a full disk, or where its person's share is used up (quotas.py). Where the store would
    grow past its limit, the files used longest ago make room.
    """
    if isinstance(source, Path):
        try:
            with source.open("rb") as stream:
                return add(stream, name or source.name)
        except IsADirectoryError:
            raise InputError(f"{source.name!r} is a folder; name a file.") from None
        except FileNotFoundError:
            raise InputError(f"There is no file {source.name!r}.") from None
        except PermissionError:
            raise InputError(f"{source.name!r} may not be read: permission denied.") from None
    folder = _folder()
    sweep(folder)
    partial = folder / f"{secrets.token_hex(8)}.partial"
    try:
        sha, size = _copied(source, partial, quotas.room(folder.parent))
        quotas.note(folder.parent, size)
        nameless = _nameless(partial)
        if nameless is not None:
            name = "DICOM series" if nameless[:2] == b"PK" else "DICOM image"
            sha, size = _copied(io.BytesIO(nameless), partial)
        elif (blank := _textless(partial)) is not None:
            sha, size = _copied(io.BytesIO(blank), partial)
        digest = f"sha256:{sha}"
        _make_room(size, keep=digest)
        _note(folder, digest, name)
        flush_one(partial)
        os.replace(partial, _path(folder, digest))
    except OSError as error:
        raise OutputError(disk_sentence(error, Path("the copy in the store"))) from error
    finally:
        discard(partial)
    return digest


def add_folder(folder: Path) -> str | None:
    """The copy of the DICOM files in a folder, without names of patients, as one file in the store; None where there are none.

    Raises as `add` does.
    """
    nameless = _nameless(folder)
    return None if nameless is None else add(io.BytesIO(nameless))


def _copied(source: IO[bytes], to: Path, room: tuple[int, str] | None = None) -> tuple[str, int]:
    """Copy within the limit of the store, and the `room` there is for a person; the sha256 and the size of what was copied."""
    sha, size = hashlib.sha256(), 0
    with to.open("wb") as out:
        while block := source.read(CHUNK):
            size += len(block)
            if size > limit():
                raise InputError(f"This file is larger than the store may be ({limit() / 1024**3:.0f} GiB; LATENT_STORE_GIB).")
            if room is not None and size > room[0]:
                raise OutputError(room[1])
            sha.update(block)
            out.write(block)
    return sha.hexdigest(), size


def _nameless(path: Path) -> bytes | None:
    """What is kept in place of DICOM files; None for anything else, which is kept as it is."""
    from gen_core.inputs.deidentify import deidentified

    return deidentified(path)


def _textless(path: Path) -> bytes | None:
    """What is kept in place of NIfTI files whose headers hold texts; None for anything else, which is kept as it is."""
    from gen_core.inputs.nifti_private import nameless

    return nameless(path)


def name_of(digest: str) -> str:
    """What its user called a stored file, or what kind of DICOM it is; its digest's beginning where it is not here."""
    note = _folder() / f"{_path(_folder(), digest).name}.json"
    try:
        return str(json.loads(note.read_text())["name"])
    except (OSError, ValueError, KeyError):
        return f"file {digest[7:15]}"


def add_checked(source: Path | IO[bytes], name: str, check: Callable[[str], object]) -> str:
    """`add`, then `check(digest)`: a file that the check refuses (with a UserError) is not kept, unless it was kept before."""
    before = {entry.digest for entry in recent(1_000_000)}
    digest = add(source, name)
    try:
        check(digest)
    except UserError:
        if digest not in before:
            delete(digest)
        raise
    return digest


def find(digest: str, field: str = "data") -> Path:
    """The stored file with this digest. Raises MissingContent where it is not on this machine."""
    folder = _folder()
    path = _path(folder, digest)
    if not DIGEST.fullmatch(digest) or not path.is_file():
        raise MissingContent(digest, field)
    with contextlib.suppress(OSError):  # a disk that may only be read serves as well
        os.utime(folder / f"{path.name}.json")  # its time is when the file was last used
    return path


def recent(count: int = 20) -> list[Entry]:
    """The stored files, the one used last first."""
    entries = []
    for note in _folder().glob("*.json"):
        path = note.with_suffix("")
        try:
            entries.append(
                Entry(f"sha256:{path.name}", json.loads(note.read_text())["name"], path.stat().st_size, note.stat().st_mtime)
            )
        except (OSError, ValueError, KeyError):  # deleted by another session a moment ago, or cut short by a full disk
            continue
    return sorted(entries, key=lambda entry: -entry.used)[:count]


def delete(digest: str) -> None:
    """Remove a file from the store; one that is not there is no error. Raises OutputError where it cannot be removed."""
    path = _path(_folder(), digest)
    try:
        path.unlink(missing_ok=True)
        path.with_name(f"{path.name}.json").unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(disk_sentence(error, Path("this file"))) from error


def sweep(folder: Path) -> None:
    """Remove what a server that was killed left half written in a folder, once it is a day old: nobody writes it any more."""
    long_ago = time.time() - LEFT
    for pattern in ("*.partial", ".*.deleted"):
        for path in folder.glob(pattern):
            with contextlib.suppress(OSError):  # gone a moment ago
                if path.stat().st_mtime < long_ago:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()


def model_path(digest: str) -> Path:
    """Where the model whose weights have this digest is kept, whether it is there or not."""
    return place().absolute() / "models" / _path(Path(), digest).name


def model_folder(digest: str) -> Path:
    """The model trained here whose weights have this digest. Raises CheckpointError where it is not on this machine."""
    path = model_path(digest)
    if not path.is_dir():
        raise CheckpointError(
            f"The model with the weights {digest[:19]}… is not on this machine: train it again, or choose another."
        )
    return path


def models() -> list[Path]:
    """Folders of the models that were trained here, the newest first."""
    if owner.needed() and owner.current() is None:
        return []
    return sorted((place() / "models").glob("[0-9a-f]*"), key=lambda path: -path.stat().st_mtime)


def delete_model(digest: str) -> None:
    """Remove a model that was trained here; one that is not there is no error."""
    shutil.rmtree(model_path(digest), ignore_errors=True)


def add_model(folder: Path) -> str:
    """Move a trained model (a folder with its weights and card) to where models are kept; returns its weights' digest.

    Raises OutputError where it cannot be moved. Of two models with the same weights the newer card stays, but a check that
    an older one holds is not lost.
    """
    from gen_core import checkpoint

    digest = f"sha256:{checkpoint.sha256(folder / checkpoint.WEIGHTS)}"
    final = model_path(digest)
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        if final.is_dir() and checkpoint.read_card(final).get("check") and not checkpoint.read_card(folder).get("check"):
            shutil.rmtree(folder)
            return digest
        if folder.stat().st_dev != final.parent.stat().st_dev:  # a rename does not reach another disk
            near = final.with_name(f".{final.name}.{secrets.token_hex(4)}.partial")
            try:
                shutil.copytree(folder, near)
                return add_model(near)
            finally:
                shutil.rmtree(near, ignore_errors=True)
        if not final.is_dir():
            os.rename(folder, final)
            return digest
        for path in sorted(folder.iterdir()):  # of the same weights: file by file, so that the model is there at every moment
            if path.is_dir():
                shutil.rmtree(final / path.name, ignore_errors=True)
            os.replace(path, final / path.name)
        shutil.rmtree(folder)
    except OSError as error:
        raise OutputError(disk_sentence(error, Path("the trained model"))) from error
    return digest


def _folder() -> Path:
    folder = place() / "store"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"The folder for your files cannot be made ({error.strerror}): set LATENT_HOME to one that can."
        ) from None
    return folder


def _path(folder: Path, digest: str) -> Path:
    return folder / (digest.removeprefix("sha256:") if DIGEST.fullmatch(digest) else "no-such-digest")


def _note(folder: Path, digest: str, name: str) -> None:
    note = folder / f"{digest.removeprefix('sha256:')}.json"
    text = json.dumps({"name": Path(name).name[:200], "added": int(time.time())})
    partial = folder / f"{secrets.token_hex(8)}.partial"
    try:
        partial.write_text(text)
        os.replace(partial, note)
    finally:
        discard(partial)


def _make_room(size: int, keep: str) -> None:
    """Delete the files used longest ago until `size` more bytes fit."""
    entries = recent(1_000_000)
    total = sum(entry.size for entry in entries)
    while entries and total + size > limit():
        oldest = entries.pop()
        if oldest.digest != keep:
            delete(oldest.digest)
            total -= oldest.size
