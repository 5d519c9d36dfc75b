"""QR codes are read back by a program of others, from the page's picture and from the terminal's blocks."""

import re
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

from kit.programs import find_program
from watchword import ConfigurationError
from watchword.testing import begin_request
from watchword_adapters.qr_code import qr_svg, qr_terminal
from watchword_plugins.totp import Totp

pytest.importorskip("segno")

URI = Totp(issuer="Acme & Söhne").begin(begin_request(Totp())).public["otpauth_uri"]


def dots_of_picture(svg):
    """The dark dots of the one path, which draws runs of them from left to right, and the width of the picture."""
    root = ET.fromstring(svg)
    width = int(root.attrib["viewBox"].split()[2])
    (path,) = [each for each in root.iter("{http://www.w3.org/2000/svg}path") if each.get("stroke") == "#000"]
    dots, x, y = set(), 0.0, 0.0
    for command, first, second in re.findall(r"([Mmh])\s*(-?[\d.]+)(?:[ ,]?(-?[\d.]+))?", path.attrib["d"]):
        if command == "h":
            dots |= {(int(x) + step, int(y)) for step in range(int(first))}
            x += int(first)
        else:
            x, y = (float(first), float(second)) if command == "M" else (x + float(first), y + float(second))
    return dots, width


def dots_of_blocks(text):
    """The dark dots: where a line of blocks has nothing in its upper or lower half."""
    lines = text.splitlines()
    dots = {
        (x, 2 * y + half)
        for y, line in enumerate(lines)
        for x, block in enumerate(line)
        for half, light in enumerate(("▀█", "▄█"))
        if block not in light
    }
    width = len(lines[0])
    return {(x, y) for x, y in dots if y < width}, width


DRAWN = {"page": lambda text: dots_of_picture(qr_svg(text)), "terminal": lambda text: dots_of_blocks(qr_terminal(text))}


def test_the_page_and_the_terminal_show_the_same():
    """Dot by dot, quiet zone included."""
    assert DRAWN["page"](URI) == DRAWN["terminal"](URI)


@pytest.mark.parametrize("drawn", DRAWN)
@pytest.mark.parametrize("text", [URI, "a", "x" * 1000])
def test_what_is_drawn_is_read_back(drawn, text, tmp_path):
    """The URI of an enrolment, a short text and a long one."""
    from PIL import Image

    dots, width = DRAWN[drawn](text)
    image = Image.new("1", (width, width), 1)
    for dot in dots:
        image.putpixel(dot, 0)
    path = tmp_path / "qr.png"
    image.resize((width * 6, width * 6)).save(path)
    zbarimg = find_program("zbarimg", remedy="apt-get install zbar-tools")
    read = subprocess.run([zbarimg, "--quiet", "--raw", str(path)], capture_output=True, text=True, check=True)
    assert text == read.stdout.rstrip("\n")


def test_the_picture_can_stand_in_a_page():
    """It is one element that holds neither the text nor anything but dots, and brings its own white ground."""
    svg = qr_svg(URI)
    root = ET.fromstring(svg)
    assert {"svg", "path"} == {each.tag.rpartition("}")[2] for each in root.iter()}
    assert "width" not in root.attrib
    assert "#fff" in svg
    assert "otpauth" not in svg


@pytest.mark.parametrize("drawn", [qr_svg, qr_terminal])
def test_a_text_that_is_too_long_is_refused(drawn):
    """With its length alone: it may be a secret."""
    with pytest.raises(ConfigurationError, match="a text of 2332 characters has no QR code: give one of at most 2,331"):
        drawn("x" * 2332)


@pytest.mark.parametrize("drawn", [qr_svg, qr_terminal])
def test_half_a_character_is_refused(drawn):
    """JSON can bring one."""
    with pytest.raises(ConfigurationError, match="a text of 1 characters has no QR code"):
        drawn("\ud800")


def test_the_longest_text_has_a_code():
    """As the error says."""
    assert qr_svg("x" * 2331)


@pytest.mark.parametrize("drawn", [qr_svg, qr_terminal])
def test_without_the_extra_it_says_what_to_install(drawn, monkeypatch):
    """By name."""
    monkeypatch.setitem(sys.modules, "segno", None)
    with pytest.raises(ConfigurationError, match=r"a QR code needs segno: pip install 'watchword\[qr\]'"):
        drawn(URI)


def test_importing_the_module_loads_no_library():
    """Only drawing does."""
    program = "import sys, watchword_adapters.qr_code; print('segno' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "False" == done.stdout.strip()
