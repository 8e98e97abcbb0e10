"""The workflow files: those shipped with the product and those written here."""

import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import RLock
from typing import NamedTuple

import msgspec

from app.core.actor import Actor, Role
from app.core.errors import ConflictError, FieldsError, InputError, NotFoundError, StoreError
from app.core.workflow import Workflow
from app.core.workflow_entry import Entry, Origin, Problem, by_place
from app.core.workflow_names import FILE_RULE, RULE, is_device, is_name
from app.workflow.definition import TEXT_BYTES, Definition, read_definition, version_of

logger = logging.getLogger(__name__)

SHIPPED = Path(__file__).parent / "library"

SWITCHES = ".enabled.json"
"""Beside the own files: by name, whether a person switched a workflow's triggers on or off."""

AUTHORS = ".authors.json"
"""Beside the own files: by name, who saved them."""


class Author(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who saved a version of a definition.

    Attributes:
        version: Hash of its content.
        name: The person.
        role: What that person might do then.
        before: Who saved the version before; it counts until this one is on the disk.
    """

    version: str
    name: str
    role: Role
    before: "Author | None" = None


class _Stamp(NamedTuple):
    """What tells that a file changed."""

    path: Path
    changed_ns: int
    size_bytes: int
    inode: int


class _File(NamedTuple):
    """One file as it was read last.

    Attributes:
        stamp: When.
        origin: Where it is from.
        text: Its content.
        definition: What became of it.
        good: The last definition without an error; it keeps working while the file is broken.
    """

    stamp: _Stamp
    origin: Origin
    text: str
    definition: Definition
    good: Workflow | None


class Library:
    """Holds the definitions and follows changes of their files.

    Any thread may call it; what is read is whole. An own file hides the shipped one of its name;
    deleting it brings that back.
    """

    def __init__(self, shipped: Path, own: Path) -> None:
        """Take the folders; nothing is read before `refresh`.

        Args:
            shipped: Folder of the product, only read.
            own: Folder of this plant; made when the first file is saved.
        """
        self._folders = ((Origin.SHIPPED, shipped), (Origin.OWN, own))
        self._own = own
        self._changing = RLock()
        self._files: Mapping[str, _File] = {}
        self._shipped_names: frozenset[str] = frozenset()
        self._switches: dict[str, bool] = {}
        self._switches_stamp: _Stamp | None = None

    def refresh(self) -> set[str]:
        """Read what changed on the disk; return the names of which something is new or gone.

        Cheap where nothing changed: one `stat` a file. Call it once a second.

        Raises:
            StoreError: A folder cannot be listed.
        """
        with self._changing:
            found = dict(self._found())
            changed = self._refresh_switches()
            changed |= self._files.keys() - found.keys()
            files: dict[str, _File] = {}
            for name, (origin, stamp) in found.items():
                known = self._files.get(name)
                is_same = known is not None and known.stamp == stamp
                files[name] = known if is_same and known else _read(name, origin, stamp, known)
                if not is_same:
                    changed.add(name)
            self._files = files  # at once, for whoever reads in another thread
            return changed

    def entries(self) -> list[Entry]:
        """Return the catalogue by name, without what is known of runs."""
        files = self._files
        return [self._entry_of(name, files[name]) for name in sorted(files)]

    def entry(self, name: str) -> Entry:
        """Return one workflow of the catalogue.

        Raises:
            NotFoundError: There is none of this name.
        """
        return self._entry_of(name, self._file(name))

    def definition(self, name: str) -> Workflow:
        """Return what a new run goes by: the last definition of the file without an error.

        Raises:
            NotFoundError: There is no workflow of this name.
            ConflictError: The file is broken and was never read whole.
        """
        file = self._file(name)
        if file.good is None:
            first = next(each for each in file.definition.problems if each.is_error)
            raise ConflictError(
                f'Workflow "{name}" has an error, {first.place}: {first.message}',
                "Correct it in the editor",
            )
        return file.good

    def source(self, name: str) -> str:
        """Return the TOML text of a workflow, broken or not.

        Raises:
            NotFoundError: There is none of this name.
        """
        return self._file(name).text

    def role(self, workflow: Workflow) -> Role:
        """Return the role that runs begun by events have: that of who saved the definition.

        A shipped one, and one that was written to the disk by hand, is an engineer's.
        """
        saved = _read_authors(self._own / AUTHORS).get(workflow.name)
        author = _author_of(saved, version_of(workflow))
        return author.role if author else Role.ENGINEER

    def save(
        self, name: str, text: str, base_version: str = "", author: Actor | None = None
    ) -> Entry:
        """Write an own definition; it counts at once.

        Args:
            name: Name of the workflow; the text must have the same.
            text: TOML.
            base_version: Version the text was made from; empty does not ask.
            author: Who saves it; None for the plant's own engineers.

        Raises:
            InputError: The name is not allowed.
            FieldsError: The text has errors; the details name them by line.
            ConflictError: The file changed since `base_version`.
            StoreError: The file cannot be written.
        """
        if not is_name(name):
            raise InputError(f'"{name[:80]}" is no name of a workflow', RULE)
        if is_device(name):
            raise InputError(f'name: "{name}" cannot be the name of a workflow', FILE_RULE)
        errors = [each for each in read_definition(text, name).problems if each.is_error]
        if errors:
            raise FieldsError(
                f'Workflow "{name}" is not saved, {errors[0].place}: {errors[0].message}',
                by_place(errors),
            )
        with self._changing:
            self.refresh()
            self._check_base(name, base_version)
            if author:  # first: a definition must never run with more than its author may
                self._note_author(name, text, author)
            self._write(self._own / f"{name}.toml", text)
            self.refresh()
            return self._entry(name)

    def delete(self, name: str) -> None:
        """Delete an own definition; a shipped one of its name works again.

        Raises:
            NotFoundError: There is none of this name.
            ConflictError: It is shipped with the product.
            StoreError: The file cannot be deleted.
        """
        file = self._file(name)
        if file.origin is Origin.SHIPPED:
            raise ConflictError(
                f'Workflow "{name}" is shipped with the product and cannot be deleted',
                "Disable it instead",
            )
        with self._changing:
            try:
                file.stamp.path.unlink(missing_ok=True)
            except OSError as error:
                path, why = file.stamp.path, error.strerror
                raise StoreError(f"{path} cannot be deleted: {why}") from error
            if name in self._switches and name not in self._shipped_names:
                self._keep({key: is_on for key, is_on in self._switches.items() if key != name})
            self.refresh()

    def enable(self, name: str, is_enabled: bool) -> Entry:
        """Switch the triggers of a workflow on or off, whatever its file says.

        Raises:
            NotFoundError: There is none of this name.
            StoreError: The switch cannot be kept.
        """
        self._file(name)
        with self._changing:
            self._keep({**self._switches, name: is_enabled})
            return self._entry(name)

    def _file(self, name: str) -> _File:
        try:
            return self._files[name]
        except KeyError:
            raise NotFoundError(f'There is no workflow "{name[:80]}"') from None

    def _entry(self, name: str) -> Entry:
        return self._entry_of(name, self._file(name))

    def _entry_of(self, name: str, file: _File) -> Entry:
        said = file.good.enabled if file.good else True
        return Entry(
            name=name,
            origin=file.origin,
            workflow=file.definition.workflow,
            version=file.definition.version,
            problems=file.definition.problems,
            enabled=self._switches.get(name, said),
            hides_shipped=file.origin is Origin.OWN and name in self._shipped_names,
        )

    def _found(self) -> Iterator[tuple[str, tuple[Origin, _Stamp]]]:
        """Yield the files by name, own ones last, so that they hide shipped ones."""
        for origin, folder in self._folders:
            try:
                stamps = {path.stem: _stamp(path) for path in sorted(folder.glob("*.toml"))}
            except OSError as error:
                raise StoreError(f"{folder} cannot be listed: {error.strerror}") from error
            there = {
                name: stamp
                for name, stamp in stamps.items()
                if stamp and not name.startswith(".")  # one that an editor is writing
            }
            if origin is Origin.SHIPPED:
                self._shipped_names = frozenset(there)
            for name, stamp in there.items():
                yield name, (origin, stamp)

    def _refresh_switches(self) -> set[str]:
        stamp = _stamp(self._own / SWITCHES)
        if stamp == self._switches_stamp:
            return set()
        old, self._switches_stamp = self._switches, stamp
        self._switches = _read_switches(stamp.path) if stamp else {}
        return {name for name in old | self._switches if old.get(name) != self._switches.get(name)}

    def _keep(self, switches: dict[str, bool]) -> None:
        self._write(self._own / SWITCHES, msgspec.json.encode(switches, order="sorted").decode())
        self._switches = switches

    def _note_author(self, name: str, text: str, author: Actor) -> None:
        known = _read_authors(self._own / AUTHORS)
        version = read_definition(text, name).version
        good = self._files[name].good if name in self._files else None
        present = _author_of(known.get(name), version_of(good)) if good else None
        before = msgspec.structs.replace(present, before=None) if present else None
        known[name] = Author(version, author.name, author.role, before)
        encoded = msgspec.json.encode(known, order="sorted").decode()
        self._write(self._own / AUTHORS, encoded)

    def _check_base(self, name: str, base_version: str) -> None:
        known = self._files.get(name)
        if base_version and known and known.definition.version != base_version:
            raise ConflictError(
                f'Workflow "{name}" was changed meanwhile: it is version '
                f"{known.definition.version}, and this was made from {base_version}",
                "Load it anew and make the change again",
            )

    def _write(self, path: Path, text: str) -> None:
        new = path.with_name(f".{path.name}.new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with new.open("w", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error.strerror}") from error


def _read(name: str, origin: Origin, stamp: _Stamp, known: _File | None) -> _File:
    text = ""
    try:
        if stamp.size_bytes > TEXT_BYTES:
            definition = _unreadable(f"The file has over {TEXT_BYTES} bytes")
        else:
            text = stamp.path.read_text(encoding="utf-8")
            definition = read_definition(text, name)
    except UnicodeDecodeError as error:
        definition = _unreadable(f"The file is not UTF-8: byte {error.start}")
    except OSError as error:
        definition = _unreadable(f"The file cannot be read: {error.strerror}")
    if definition.workflow is None:
        logger.warning("workflow file %s is broken: %s", stamp.path, definition.problems[0].message)
    good = definition.workflow or (known.good if known and known.origin is origin else None)
    return _File(stamp, origin, text, definition, good)


def _unreadable(message: str) -> Definition:
    return Definition(None, "", (Problem(0, "", message, "Save it as UTF-8 TOML"),))


def _author_of(saved: Author | None, version: str) -> Author | None:
    while saved is not None and saved.version != version:
        saved = saved.before
    return saved


def _read_authors(path: Path) -> dict[str, Author]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Author])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError) as error:
        raise StoreError(f"{path} cannot be read: {error}", "Delete or correct it") from error


def _read_switches(path: Path) -> dict[str, bool]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, bool])
    except (OSError, msgspec.DecodeError) as error:
        logger.warning(
            "%s cannot be read, workflows are enabled as their files say: %s", path, error
        )
        return {}


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return _Stamp(path, found.st_mtime_ns, found.st_size, found.st_ino)
