"""The families on who exists have teeth: an engine, a kind or a pool that tells is caught by the family that is named for the way."""

from typing import ClassVar

import pytest
from attrs import frozen

from kit.broken_code import broken
from watchword import Challenge, Flow, Verdict
from watchword.runtime import delivery, services
from watchword_adapters.attacks import FAMILIES, attack
from watchword_plugins.email_otp import EmailOtp

pytestmark = pytest.mark.exhaustive


@frozen
class Asks:
    """A kind that asks for a drawn word, and shows what its subclass says."""

    kind: ClassVar[str] = "asks"
    proves: ClassVar[frozenset[str]] = frozenset({"knowledge"})

    def create(self, request):
        """Ask."""
        return Challenge(
            public={"hint": self.hint(request)}, private={"digest": request.seal(request.code("abcdefgh", 12))}
        )

    def hint(self, request):
        """Say nothing."""
        return ""

    def verify(self, request):
        """Compare."""
        return Verdict(request.matches(request.private.get("digest"), request.answer))


@frozen
class MadeUp(Asks):
    """Shows a fact of a user, and one that is made up for ever for somebody unknown."""

    def hint(self, request):
        """Tell a colour."""
        colours = ("amber", "green", "white")
        return colours[int(request.pseudonym(request.user.key if request.user.known else request.user.name), 16) % 3]


@frozen
class Masks(Asks):
    """Shows a mask of the user's address, and one that is made up for somebody unknown, before any factor is proven."""

    def hint(self, request):
        """Mask it."""
        made_up = request.pseudonym(request.user.name)
        letters = "".join(chr(97 + int(each, 16)) for each in made_up[:2])
        address = request.user.attributes.get("email") or f"{letters[0]}@{letters[1]}"
        name, _, host = address.lower().partition("@")
        return f"{name[:1]}***@{host[:1]}***"


@frozen
class Greets(Asks):
    """Shows the name that the host tells: of a user her own, of somebody unknown what was typed."""

    def hint(self, request):
        """Greet."""
        return f"Hello {request.user.name}"


FLOWS = {
    "code": Flow(EmailOtp(), name="code"),
    "shown": Flow(EmailOtp(always_show_destination=True), name="shown"),
    "asks": Flow(Asks(), name="asks"),
    "made up": Flow(MadeUp(), name="made_up"),
    "masks": Flow(Masks(), name="masks"),
    "greets": Flow(Greets(), name="greets"),
}

KINDS_THAT_TELL = {"E-09": "masks", "E-10": "greets"}

TWINS = {
    # function, what is replaced by what, the family that catches it, and the flow
    "a made-up destination does not fit what was typed": (
        EmailOtp._shown,
        "user.name if is_plain_address(user.name) else address or",
        "address or",
        "E-09",
        "shown",
    ),
    "names are not folded": (services.user_key, "fold(user.name)", "user.name", "E-11", "code"),
    "what is made up goes with the newest key": (
        services.Services.methods_of,
        "ring.root_key.digest",
        "ring.current.digest",
        "E-12",
        "made up",
    ),
    "a refused recipient is an outage": (
        delivery._courier_failed,
        "if isinstance(error, UnavailableError) and error.refused:",
        "if False:",
        "E-13",
        "code",
    ),
}


def found(family, flow, cases=80):
    """What *family* finds on *flow*."""
    only = tuple(each for each in FAMILIES if each.id == family)
    return attack(FLOWS[flow], cases=cases, seed="who", families=only).succeeded.keys()


@pytest.mark.parametrize("name", TWINS)
def test_an_engine_that_tells_is_caught(name):
    """By the family for it; what is shipped is not."""
    function, old, new, family, flow = TWINS[name]

    assert set() == found(family, flow)
    with broken(function, old, new):
        assert {family} == found(family, flow)


@pytest.mark.parametrize("family", KINDS_THAT_TELL)
def test_a_kind_that_tells_is_caught(family):
    """One like it that shows nothing is not."""
    assert {family} == found(family, KINDS_THAT_TELL[family])
    assert set() == found(family, "asks")
