"""The file of the studio keeps what an editor does not show, and is replaced only by who has seen what is in it."""

import fcntl
import os
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.errors import ConfigurationError
from watchword.loading.flow_text import MAX_BYTES
from watchword_adapters.cli.studio.edited_file import EditedFile, FileText

NOWHERE = Path("flow.toml")
PIECES = st.lists(st.sampled_from(["\r\n", "\n", "\r", "\ufeff", "a", "é"])).map("".join)


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "flow.toml"
    file.write_bytes(b"a\nb\n")
    return file


@given(PIECES)
def test_a_text_that_nobody_edited_is_the_same_file(written):
    """Whatever its line ends are, with or without a byte order mark."""
    found = FileText.read(written.encode(), NOWHERE)
    assert found.data == found.edited(found.text).data


@pytest.mark.parametrize(
    ("before", "text", "after"),
    [
        ("a\r\nb\r\n", "a\nnew\nb\n", "a\r\nnew\r\nb\r\n"),
        ("a\nb\n", "new\na\nb", "new\na\nb"),
        ("\ufeffa\r\n", "b\n", "\ufeffb\r\n"),
        ("a\r\nb\nc\nd\r\n", "a\nb\nnew\nd\n", "a\r\nb\nnew\nd\r\n"),
        ("a\nb\r\nc\r\ne\r\nd\n", "a\nnew\nd\n", "a\nnew\r\nd\n"),
        ("", "a\n", "a\n"),
        ("a", "a\nb\n", "a\nb\n"),
    ],
)
def test_an_edit_changes_no_other_line(before, text, after):
    """A new line ends as most lines do."""
    assert FileText.read(before.encode(), NOWHERE).edited(text).data.decode() == after


def test_line_ends_and_byte_order_mark_outlast_a_save(path):
    """And a file that is made anew has them, too. A change of them is a change of the file."""
    path.write_bytes(b"\xef\xbb\xbfa\r\nb\r\n")
    file = EditedFile(path)
    assert file.known.text == "a\nb\n"
    mark = file.save("a\nc\n", file.known.mark)
    assert path.read_bytes() == b"\xef\xbb\xbfa\r\nc\r\n"
    assert mark == file.load().mark
    path.unlink()
    file.save("a\n", "")
    assert path.read_bytes() == b"\xef\xbb\xbfa\r\n"
    path.write_bytes(b"a\n")
    assert file.differs


def test_of_two_studios_that_save_at_once_one_does(path):
    """Between the look of the first and its replacement of the file, the second is refused, and tries again in vain."""
    one, other = EditedFile(path), EditedFile(path)
    base, looked = one.known.mark, one._expected

    def meanwhile(mark):
        found = looked(mark)
        if [*path.parent.glob(".flow.toml.*")]:
            with pytest.raises(ConfigurationError, match="nothing was written: save again"):
                other.save("other", base)
        return found

    one._expected = meanwhile
    one.save("one", base)
    with pytest.raises(ConfigurationError, match="has changed on disk; nothing was written"):
        other.save("other", base)
    assert path.read_bytes() == b"one"
    assert [path] == list(path.parent.iterdir())


def race(file, text, begin, saved):
    """Save *text* when all others begin, and note it in *saved* if that is done."""
    base = file.known.mark
    begin.wait()
    with suppress(ConfigurationError):
        file.save(text, base)
        saved.append(text)


def test_a_race_of_many_has_one_winner(path):
    """Each looks and writes by itself, as a process does."""
    for number in range(20):
        begin, saved = threading.Barrier(4), []
        given = [(EditedFile(path), f"{number} {place}", begin, saved) for place in range(4)]
        threads = [threading.Thread(target=race, args=each) for each in given]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert [path.read_text()] == saved


@pytest.mark.parametrize("refuses", ["os.open", "fcntl.flock"])
def test_without_locks_a_file_is_saved_all_the_same(path, monkeypatch, refuses):
    """Some systems and network drives have none; the look at the file remains."""
    opened = os.open

    def refused(target, *given, **named):
        if refuses == "os.open" and target != path.parent:
            return opened(target, *given, **named)
        raise OSError(95, "Operation not supported")

    file = EditedFile(path)
    monkeypatch.setattr(refuses, refused)
    file.save("new", file.known.mark)
    assert path.read_bytes() == b"new"


def test_a_folder_that_another_program_locks_is_not_waited_for(path):
    """It may never end."""
    file = EditedFile(path)
    held = os.open(path.parent, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    with pytest.raises(ConfigurationError, match="save again"):
        file.save("new", file.known.mark)
    os.close(held)
    file.save("new", file.known.mark)


def test_a_file_that_is_read_only_is_not_replaced(path):
    """Though the folder would allow it."""
    path.chmod(0o444)
    file = EditedFile(path)
    with pytest.raises(ConfigurationError, match=r"^flow\.toml is read-only; nothing was written"):
        file.save("new", file.known.mark)
    assert path.read_bytes() == b"a\nb\n"
    assert [path] == list(path.parent.iterdir())


@pytest.mark.parametrize("refusal", [None, PermissionError, AttributeError])
def test_a_file_remains_its_owners(path, monkeypatch, refusal):
    """Where an administrator saves it, such as the one of a container; where that may not be, it is saved all the same."""
    asked = []

    def chown(beside, *whose):
        asked.append(whose)
        if refusal is not None:
            raise refusal

    was = path.stat()
    monkeypatch.setattr(os, "chown", chown)
    file = EditedFile(path)
    file.save("new", file.known.mark)
    assert [(was.st_uid, was.st_gid)] == asked
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("makes", [os.mkfifo, lambda path: path.symlink_to("/dev/zero"), Path.mkdir])
def test_what_is_no_regular_file_is_refused_at_once(path, makes):
    """A pipe that nobody writes to, a device without an end, a folder: at the start, and where it takes the file's place."""
    file = EditedFile(path)
    path.unlink()
    makes(path)
    assert file.differs
    assert not file.is_gone
    for tries in (file.load, lambda: EditedFile(path), lambda: file.save("new", file.known.mark)):
        with pytest.raises(
            ConfigurationError, match=r"flow\.toml cannot be read: (it is no regular file|Is a directory)"
        ):
            tries()


def test_a_file_is_neither_read_nor_written_beyond_its_bound(path):
    """That of `check`, in bytes: also of the line ends and the byte order mark that the editor does not show."""
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(ConfigurationError, match="more than 256 KiB"):
        EditedFile(path)
    path.write_bytes(b"\r\n")
    file = EditedFile(path)
    text = "\n" * (MAX_BYTES // 2)
    mark = file.save(text, file.known.mark)
    with pytest.raises(ConfigurationError, match="more than 256 KiB"):
        file.save(f"{text}\n", mark)


@pytest.mark.parametrize(
    ("failure", "gone"), [(FileNotFoundError, True), (NotADirectoryError, True), (PermissionError, False)]
)
def test_a_file_is_gone_if_it_is_not_there(path, monkeypatch, failure, gone):
    """A folder that may not be looked into is another thing."""
    file = EditedFile(path)

    def refused(*_, **__):
        raise failure

    monkeypatch.setattr(Path, "stat", refused)
    assert file.is_gone is gone
