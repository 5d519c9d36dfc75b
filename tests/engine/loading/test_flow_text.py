"""The text of a flow file has a bound, whatever the file is."""

from pathlib import Path

import pytest

from watchword.errors import ConfigurationError
from watchword.loading.flow_file import flow_from_text
from watchword.loading.flow_text import MAX_BYTES, decode_flow, read_flow_bytes


def test_a_file_is_read_up_to_its_bound(tmp_path):
    """The byte order mark counts, and is no part of the text."""
    file = tmp_path / "flow.toml"
    file.write_bytes(b"\xef\xbb\xbfname = 'x'\r\n")
    data = read_flow_bytes(file)
    assert file.read_bytes() == data
    assert decode_flow(data, file) == "name = 'x'\r\n"
    file.write_bytes(b"#" * MAX_BYTES)
    assert len(read_flow_bytes(file)) == MAX_BYTES
    file.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(ConfigurationError, match="more than 256 KiB"):
        read_flow_bytes(file)


def test_a_device_without_an_end_has_a_bound():
    """A pipe and a device are files like others."""
    with pytest.raises(ConfigurationError, match="more than 256 KiB"):
        read_flow_bytes(Path("/dev/zero"))


def test_a_text_has_the_bound_of_a_file():
    """In bytes, wherever it comes from."""
    with pytest.raises(ConfigurationError, match="more than 256 KiB"):
        flow_from_text("# é" + "é" * (MAX_BYTES // 2), Path("flow.toml"))
