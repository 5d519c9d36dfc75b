"""A picture of distorted characters to type in: it slows casual scripts, and proves nothing about who signs in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast

from attrs import Attribute, field, frozen

from watchword import Challenge, ConfigurationError, CreateRequest, Verdict, VerifyRequest, hookimpl, typed_code
from watchword.contract import Factor, RegisterKind, choice, line, refused, whole_number
from watchword_plugins.texts.settings import folder, locale

if TYPE_CHECKING:
    from captcha.image import ColorTuple
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

ALPHABET = "ACDEFGHJKLMNPQRTUVWXYZ346789"
"""28 symbols. Of each pair that a reader takes for each other (0 O, 1 I, 2 Z, 5 S, 8 B) at most one is left."""

_MOST_FONTS = 16
_LONGEST_PATH = 4096  # of Linux
_MOST_FONT_BYTES = 16 * 1024 * 1024
_LONGEST_ALT = 300
_PLACEHOLDERS = {"txt": frozenset({"length"})}

_LEVELS = 12
_PAPER = 255
# The library blends a glyph in by its own brightness, about doubled, but not the noise: a grey of 128 is opaque, and a
# darker one lets the paper through and so stands back behind dots and lines. With opaque glyphs a solver that anybody
# can install (captcha-whisperer 0.1.0) read 61 % of 300 pictures; with these, 47 % of 400; of the library's own, 57 %.
_INKS = (70, 128)


def _as_paths(value: Sequence[str]) -> tuple[str, ...]:
    # Whatever is no list is left for the validator to refuse.
    return tuple(value) if isinstance(value, list) else cast("tuple[str, ...]", value)


def _paths(instance: Any, attribute: Attribute[Any], value: object) -> None:
    paths = cast("tuple[object, ...]", value) if isinstance(value, tuple) else None
    if (
        paths is None
        or len(paths) > _MOST_FONTS
        or not all(isinstance(path, str) and 0 < len(path) <= _LONGEST_PATH for path in paths)
    ):
        raise refused(instance, attribute, f'must be a list of at most {_MOST_FONTS} paths, such as ["fonts/A.ttf"]')


# Not slotted: the painter is kept in the instance, and loads its fonts once.
@frozen(slots=False)
class Captcha:
    """Ask for the characters of a picture.

    Every create makes a new text and a new picture. An answer may be in upper or lower case and may hold spaces and
    hyphens anywhere; everything else that is not one of the 28 symbols, and every letter outside ASCII, is wrong.

    A solver that anybody can install reads most pictures of this sort, and people read them worse than it does. Put a
    CAPTCHA before a step that costs something, never in place of one; and offer a way around it (WCAG 2.2, 3.3.8).

    Attributes:
        length: characters in the picture, 4 to 8.
        attempts: tries per sign-in, 1 to 5, each with a new picture.
        lifetime: seconds for an answer, 30 to 600.
        width: pixels, 120 to 480.
        height: pixels, 40 to 160.
        fonts: paths of TrueType or OpenType files, of which each character takes one at random; () is the library's.
        dots: noise dots, 0 to 200.
        arcs: noise lines, 0 to 8.
        format: ``webp``, or ``png`` of twelve colours.
        encoding: ``data_uri``, or ``base64`` without the head of a data URI.
        locale: language of the alternative text. It is the same for everybody: a user's own would tell who exists.
        templates: path of a folder with alternative texts of your own, ``en.txt`` and so for each language; ``$length`` stands for
            the number of characters.
        alt: your own alternative text in place of it: say what the picture is for.
    """

    kind: ClassVar[str] = "captcha"
    proves = frozenset[Factor]()
    requires_create: ClassVar[tuple[str, ...]] = ("captcha", "PIL")
    requires_verify: ClassVar[tuple[str, ...]] = ()
    extra: ClassVar[str] = "watchword[captcha]"
    cognitive: ClassVar[bool] = True
    cosmetic: ClassVar[frozenset[str]] = frozenset(
        {"width", "height", "fonts", "dots", "arcs", "format", "encoding", "locale", "templates", "alt"}
    )

    length: int = field(default=6, validator=whole_number(4, 8))
    attempts: int = field(default=3, validator=whole_number(1, 5))
    lifetime: int = field(default=120, validator=whole_number(30, 600))
    width: int = field(default=240, validator=whole_number(120, 480))
    height: int = field(default=80, validator=whole_number(40, 160))
    fonts: tuple[str, ...] = field(default=(), converter=_as_paths, validator=_paths)
    dots: int = field(default=80, validator=whole_number(0, 200))
    arcs: int = field(default=4, validator=whole_number(0, 8))
    format: str = field(default="webp", validator=choice("webp", "png"))
    encoding: str = field(default="data_uri", validator=choice("data_uri", "base64"))
    locale: str = field(default="en", validator=locale())
    templates: str | None = field(default=None, validator=folder())
    alt: str = field(default="", validator=line(_LONGEST_ALT))

    def prepare(self) -> None:
        """Load the fonts, and the alternative text.

        Raises:
            ConfigurationError: if a font is missing, too big, no font, or has not every symbol; it names the file. And if there is no
                text for the language, or it is empty or has more than 300 characters.
        """
        if not 0 < len(self._alt) <= _LONGEST_ALT:
            raise ConfigurationError(
                f"captcha: template {self.locale}.txt must have 1 to {_LONGEST_ALT} characters: say what the picture is for"
            )
        for path in self.fonts:
            _check_font(path)
        self._paint("".join(ALPHABET[: self.length]))

    def create(self, request: CreateRequest) -> Challenge:
        """Make a new text and its picture."""
        from base64 import b64encode  # noqa: PLC0415 - only Create needs it

        text = request.code(ALPHABET, self.length)
        image = b64encode(self._paint(text)).decode("ascii")
        media_type = f"image/{self.format}"
        return Challenge(
            public={
                "image": f"data:{media_type};base64,{image}" if self.encoding == "data_uri" else image,
                "media_type": media_type,
                "alt": self._alt,
            },
            private={"digest": request.seal(text)},
        )

    def verify(self, request: VerifyRequest) -> Verdict:
        """Judge the typed characters."""
        text = self._read(request.answer)
        if text is None:
            return Verdict(right=False, reason="malformed")
        if request.matches(request.private.get("digest"), text):
            return Verdict(right=True)
        return Verdict(right=False, reason="wrong")

    def guess_probability(self) -> float:
        """Return the chance of one blind guess. A program that reads pictures does far better."""
        return float(len(ALPHABET)) ** -self.length

    def _read(self, answer: object) -> str | None:
        """Return the text that *answer* stands for, or None if it cannot be one."""
        text = typed_code(answer)
        return text if text is not None and len(text) == self.length and set(text) <= set(ALPHABET) else None

    @cached_property
    def _paint(self) -> Callable[[str], bytes]:
        """The function that turns a text into the bytes of a picture."""
        return _painter(self)

    @cached_property
    def _alt(self) -> str:
        """The alternative text: one line, whatever the template is."""
        from watchword_plugins.texts.templates import read_shelf  # noqa: PLC0415 - only Create needs it

        if self.alt:
            return self.alt
        shelf = read_shelf(self.kind, self.templates, "templates/picture", _PLACEHOLDERS)
        shelf.check(self.locale)
        return " ".join(shelf.templates[self.locale][0].substitute(length=str(self.length)).split())


def _check_font(path: str) -> None:
    from pathlib import Path  # noqa: PLC0415 - only Create needs it

    from PIL.ImageFont import truetype  # noqa: PLC0415 - heavy

    name = f"captcha: fonts: {path[-200:]!r}"
    try:
        size = Path(path).stat().st_size if Path(path).is_file() else None
    except (OSError, ValueError):  # a name that is too long, a folder that cannot be entered, half a surrogate pair
        size = None
    if size is None:
        raise ConfigurationError(f"{name} is no file; give the path of a TrueType or OpenType font")
    if size > _MOST_FONT_BYTES:
        raise ConfigurationError(f"{name} has {size} bytes, at most {_MOST_FONT_BYTES} are allowed; use a smaller font")
    try:
        font = truetype(path, 40)
        shapes = {_shape(font, symbol) for symbol in ALPHABET}
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{name} is no font that can be loaded; use a TrueType or OpenType font") from error
    if len(shapes) < len(ALPHABET):  # a symbol that is missing is drawn as the same box as any other
        raise ConfigurationError(f"{name} has not every symbol of {ALPHABET}; use a font with Latin letters")


def _shape(font: FreeTypeFont, symbol: str) -> bytes:
    from PIL.Image import new  # noqa: PLC0415 - heavy
    from PIL.ImageDraw import Draw  # noqa: PLC0415 - heavy

    canvas = new("L", (64, 64))
    Draw(canvas).text((4, 4), symbol, fill=255, font=font)
    return canvas.tobytes()


def _painter(settings: Captcha) -> Callable[[str], bytes]:
    """Return the function that draws a text.

    The library draws: its glyphs, its distortion, its noise, its `secrets`. Three things are done in another way, for
    speed and size: the picture is drawn in grey and smoothed as one channel, the colours are put in afterwards as a palette
    from one ink to one paper, and the fonts are loaded once, with the plain layout engine.
    """
    from io import BytesIO  # noqa: PLC0415 - only Create needs it
    from secrets import choice as pick  # noqa: PLC0415 - only Create needs it
    from secrets import randbelow  # noqa: PLC0415 - only Create needs it

    from captcha.image import ImageCaptcha  # noqa: PLC0415 - heavy
    from PIL.Image import frombytes, new  # noqa: PLC0415 - heavy
    from PIL.ImageFilter import SMOOTH  # noqa: PLC0415 - heavy
    from PIL.ImageFont import Layout, truetype  # noqa: PLC0415 - heavy

    class Painter(ImageCaptcha):
        _loaded: tuple[FreeTypeFont, ...] = ()

        @property
        def truefonts(self) -> list[FreeTypeFont]:
            if not self._loaded:
                pairs = [(path, size) for path in self._fonts for size in self._font_sizes]
                self._loaded = tuple(truetype(path, size, layout_engine=Layout.BASIC) for path, size in pairs)
            return list(self._loaded)

        def _draw_character(self, c: str, draw: ImageDraw, color: ColorTuple) -> Image:
            # A gap is an empty picture: the library turns and bends it all the same, a third of its time.
            if c == " ":
                return new("RGBA", (round(pick(self.truefonts).getlength(c)), 1))
            return super()._draw_character(c, draw, color)

    # The library's sizes, 42, 50 and 56, are made for some 80 pixels.
    sizes = tuple(settings.height * size // 80 for size in (42, 50, 56))
    painter = Painter(settings.width, settings.height, list(settings.fonts) or None, sizes)

    def between(low: int, high: int) -> int:
        return low + randbelow(high - low + 1)

    def draw(text: str) -> Image:
        ink = between(*_INKS)
        color = (ink, ink, ink)
        image = painter.create_captcha_image(text, color, (_PAPER, _PAPER, _PAPER))
        painter.create_noise_dots(image, color, number=settings.dots)
        for _ in range(settings.arcs):
            painter.create_noise_curve(image, color)
        grey = image.convert("L").filter(SMOOTH)
        levels = bytes(max(0, (shade - ink) * _LEVELS // (_PAPER + 1 - ink)) for shade in range(256))
        picture = frombytes("P", grey.size, grey.tobytes().translate(levels))
        picture.putpalette(_blend([between(10, 110) for _ in range(3)], [between(238, 255) for _ in range(3)]))
        return picture

    def paint(text: str) -> bytes:
        out = BytesIO()
        if settings.format == "png":
            draw(text).save(out, "PNG")
        else:
            draw(text).convert("RGB").save(out, "WEBP", quality=50, method=2)
        return out.getvalue()

    return paint


def _blend(ink: Iterable[int], paper: Iterable[int]) -> list[int]:
    """Return the palette: twelve colours in even steps from *ink* to *paper*."""
    pairs = list(zip(ink, paper, strict=True))
    return [start + (end - start) * level // (_LEVELS - 1) for level in range(_LEVELS) for start, end in pairs]


@hookimpl
def register_kinds(register: RegisterKind) -> None:
    """Register `Captcha`."""
    register(Captcha)
