"""The file that the studio edits: read within bounds, and replaced only while it is still the one that was read."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from attrs import field, frozen

from watchword.errors import ConfigurationError
from watchword.loading.flow_text import decode_flow, expect_short, read_flow_bytes

_BOM = "\ufeff"


@frozen
class FileText:
    """What is in a file: its *data*, and the *text* as an editor has it, without a byte order mark and with LF at the ends of lines."""

    data: bytes = field(repr=False)
    text: str = field(repr=False)

    @classmethod
    def read(cls, data: bytes, path: Path) -> FileText:
        """Return what *data*, found in the file at *path*, is.

        Raises:
            ConfigurationError: if it is no UTF-8.
        """
        return cls(data, decode_flow(data, path).replace("\r\n", "\n"))

    @property
    def mark(self) -> str:
        """The mark of the file, by which the page says which one it has read."""
        return hashlib.sha256(self.data).hexdigest()[:32]

    def edited(self, text: str) -> FileText:
        """Return the file with *text* in place of its own, as it began, and with the line ends that it has."""
        before = self.data.decode("utf-8")
        begin = _BOM if before.startswith(_BOM) else ""
        return FileText((begin + _with_ends(text, before.removeprefix(_BOM))).encode(), text)


class EditedFile:
    """The file at *path*, as it was read or saved last: *known*.

    Raises:
        ConfigurationError: if it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known = self._read()
        self._lock = threading.Lock()

    def load(self) -> FileText:
        """Read the file again.

        Raises:
            ConfigurationError: if it cannot be read, is too long or no regular file: one that is replaced by a pipe must not be waited for.
        """
        self.known = self._read()
        return self.known

    @property
    def is_gone(self) -> bool:
        """Whether the file is no longer there."""
        try:
            self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError:
            return False
        return False

    @property
    def differs(self) -> bool:
        """Whether the file is another than the one that was read or saved last, or cannot be read."""
        try:
            return self._read().data != self.known.data
        except ConfigurationError:
            return True

    def save(self, text: str, base: str) -> str:
        """Write *text* into the file, if the file is still the one that has the mark *base*; return its new mark.

        The file keeps its owner, its mode, its line ends and its byte order mark, and a link stays one: what it leads to is written. Without *base* the
        file is made anew, if there is none.

        Raises:
            ConfigurationError: if the file has changed since, or must not or cannot be written. Nothing is written then.
        """
        try:
            with self._lock:
                before = self._expected(base) if base else self.known
                target = self.path.resolve()
                after = before.edited(text)
                expect_short(after.data, Path(self.path.name))
                with _alone_in(target.parent):
                    if base:
                        self._replace(target, after.data, base)
                    else:
                        with target.open("xb") as file:
                            file.write(after.data)
                self.known = after
                return after.mark
        except FileExistsError:
            raise self._changed() from None
        except OSError as error:
            raise ConfigurationError(f"{self.path.name} cannot be written: {error.strerror}") from None

    def _replace(self, target: Path, data: bytes, base: str) -> None:
        """Put *data* in the place of the file *target*, if that has the mark *base*."""
        # A rename asks the folder alone.
        was = target.stat()
        if not was.st_mode & 0o222 or not os.access(target, os.W_OK):
            raise ConfigurationError(f"{self.path.name} is read-only; nothing was written: make it writable first")
        beside: Path | None = None
        try:
            with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
                beside = Path(file.name)
                file.write(data)
            # Only an administrator may give a file away, and not every system has owners.
            with suppress(OSError, AttributeError):
                os.chown(beside, was.st_uid, was.st_gid)
            shutil.copymode(target, beside)
            self._expected(base)
            beside.replace(target)
        finally:
            if beside is not None:
                with suppress(FileNotFoundError):
                    beside.unlink()

    def _expected(self, base: str) -> FileText:
        found = self._read()
        if found.mark != base:
            raise self._changed()
        return found

    def _read(self) -> FileText:
        return FileText.read(read_flow_bytes(self.path, _open_regular), self.path)

    def _changed(self) -> ConfigurationError:
        return ConfigurationError(f"{self.path.name} has changed on disk; nothing was written: load it first")


def _open_regular(path: str, flags: int) -> int:
    """Open a file on a disk: without O_NONBLOCK the opening of a pipe would wait for its writer."""
    opened = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise OSError(errno.EINVAL, "it is no regular file; copy what is in it to one")
    return opened


@contextmanager
def _alone_in(folder: Path) -> Generator[None]:
    """Keep other studios from saving in *folder* while the block runs: between a look at a file and its replacement another may save.

    The lock is the folder's, since the file itself is replaced. Where a system or a file system has no such locks, it goes without.

    Raises:
        ConfigurationError: if another one saves there. It is not waited for: who holds the lock may never end.
    """
    try:
        import fcntl  # noqa: PLC0415 - not on every system

        opened = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        yield
        return
    try:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationError(
                "another program saves in this folder at this moment; nothing was written: save again"
            ) from None
        except OSError:
            pass
        yield
    finally:
        os.close(opened)


def _with_ends(text: str, before: str) -> str:
    """Return *text* with the line ends of *before*.

    Lines at the beginning and at the end that are as they were keep their own; all others get the one that most lines have.
    """
    old, (*lines, last) = before.split("\n")[:-1], text.split("\n")
    most = "\r" if 2 * sum(line.endswith("\r") for line in old) > len(old) else ""
    ends = [most] * len(lines)
    for way in (1, -1):
        for place, (line, was) in enumerate(zip(lines[::way], old[::way], strict=False)):
            if line != was.removesuffix("\r"):
                break
            ends[place if way == 1 else -1 - place] = "\r" if was.endswith("\r") else ""
    return "".join(f"{line}{end}\n" for line, end in zip(lines, ends, strict=True)) + last
