"""Kinds that are broken in one way each: every rule of the contract catches the one that breaks it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import inspect
import logging
import random
from typing import Any, ClassVar

import pytest
from attrs import evolve, field, frozen

from watchword.contract.credentials import Credential, Enrolment, NewCredential
from watchword.contract.enrolments import BeginRequest, CompleteRequest
from watchword.contract.kinds import (
    Challenge,
    CreateRequest,
    Email,
    Verdict,
    VerifyRequest,
)
from watchword.contract.typed_codes import read_token_answer, typed_code
from watchword.contract.validators import whole_number
from watchword.errors import UnavailableError
from watchword.testing import ANN, NOBODY, KindContract, begin_request, create_request
from watchword.testing.kind_links import LinkRules
from watchword.testing.requests import ENROLMENT

pytestmark = pytest.mark.exhaustive

DIGITS = "0123456789"


@frozen
class Good:
    """A kind that sends, without a fault; the broken ones inherit from it (in tests only: kinds have no base class)."""

    kind: ClassVar[str] = "good"
    proves: ClassVar[frozenset[str]] = frozenset({"possession"})
    channel: ClassVar[str] = "email"

    length: int = field(default=8, validator=whole_number(6, 12))
    resend_after: int = field(default=60, validator=whole_number(16, 600))

    def create(self, request: CreateRequest) -> Challenge:
        code = request.code(DIGITS, self.length)
        address = self.address(request)
        sent = address and not request.again
        message = Email(to=address, subject="Your code", text=f"The code is {code}", html=f"<p>{code}</p>")
        sealed = request.seal(code if address else f"unsent:{code}")
        return Challenge(public={"hint": "***"}, private={"digest": sealed}, messages=(message,) if sent else ())

    def address(self, request: CreateRequest) -> str:
        address = request.user.attributes.get("email", "")
        return address if address == "ann@example.com" else ""

    def verify(self, request: VerifyRequest) -> Verdict:
        answer = request.answer
        if not isinstance(answer, str) or len(answer) != self.length or not answer.isascii():
            return Verdict(right=False)
        return Verdict(right=request.matches(request.private.get("digest"), answer))

    def guess_probability(self) -> float:
        return 10.0**-self.length


@frozen
class Riddle:
    """A kind that does not send, whose answer is a setting."""

    kind: ClassVar[str] = "riddle"
    proves: ClassVar[frozenset[str]] = frozenset({"knowledge"})

    answer: str = field(default="a piano", repr=False)

    @answer.validator
    def _check(self, attribute: Any, value: Any) -> None:
        from watchword.contract.validators import refused

        if not isinstance(value, str) or not value:
            raise refused(self, attribute, "must be a text")

    def create(self, request: CreateRequest) -> Challenge:
        return Challenge(public={"question": "What has keys?"}, private={"digest": request.seal(self.answer)})

    def verify(self, request: VerifyRequest) -> Verdict:
        answer = request.answer
        if not isinstance(answer, str) or len(answer) > 100 or not answer.isascii():
            return Verdict(right=False)
        return Verdict(right=request.matches(request.private.get("digest"), answer.strip().lower()))


class TestGood(KindContract):
    kind = Good()


class TestRiddle(KindContract):
    kind = Riddle()
    right = "a piano"


class TestRiddleByMethod(KindContract):
    kind = Riddle(answer="a map")

    def right(self, request: CreateRequest, challenge: Challenge) -> str:
        return "a map"


class Nod:
    """A kind without settings, private parameters or attrs."""

    kind: ClassVar[str] = "nod"
    proves: ClassVar[frozenset[str]] = frozenset()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Nod)

    def __hash__(self) -> int:
        return 1

    def create(self, request: CreateRequest) -> Challenge:
        return Challenge(public={"question": "Are you there?"})

    def verify(self, request: VerifyRequest) -> Verdict:
        return Verdict(right=type(request.answer) is str and request.answer == "yes")


class TestNod(KindContract):
    kind = Nod()
    right = "yes"


@frozen
class Patient(Good):
    """As many tries, and as long, as a flow takes."""

    attempts: int = field(default=10, validator=whole_number(1, 10))
    lifetime: int = field(default=600, validator=whole_number(30, 600))


class TestPatient(KindContract):
    kind = Patient()


@frozen
class Phrase(Riddle):
    """A riddle in any script."""

    answer: str = field(default="ein flügel", repr=False)

    @answer.validator
    def _check(self, attribute: Any, value: Any) -> None:
        from watchword.contract.validators import refused

        if not isinstance(value, str) or not value.strip():
            raise refused(self, attribute, "must be a text")

    def create(self, request: CreateRequest) -> Challenge:
        return Challenge(private={"digest": request.seal(self.answer.strip().lower())})

    def verify(self, request: VerifyRequest) -> Verdict:
        answer = request.answer
        if not isinstance(answer, str) or len(answer) > 100 or "\ud800" in answer:
            return Verdict(right=False)
        return Verdict(right=request.matches(request.private.get("digest"), answer.strip().lower()))


class TestPhrase(KindContract):
    kind = Phrase()
    right = "Ein Flügel"


class TestPhraseInCyrillic(KindContract):
    kind = Phrase("пианино")
    right = "пианино"


@frozen
class ShowsWhatWasTyped(Good):
    """Shows somebody who signs in by an address a mask of it, whoever that is, and the reference."""

    def create(self, request: CreateRequest) -> Challenge:
        head, at, _ = request.user.name.partition("@")
        hint = f"{head[:1]}***@***" if at and head.isalnum() else ""
        return changed(Good.create(self, request), public={"hint": hint, "say": request.ref})


class TestShowsWhatWasTyped(KindContract):
    kind = ShowsWhatWasTyped()


@frozen
class AsksOneOfTwo(Riddle):
    """Asks what is drawn: the questions look different, and everybody may be asked either."""

    def create(self, request: CreateRequest) -> Challenge:
        question = {"0": "What has keys?", "1": "Keys, but no lock, what is it?"}[request.code("01", 1)]
        return changed(Riddle.create(self, request), public={"question": question})


class TestAsksOneOfTwo(KindContract):
    kind = AsksOneOfTwo()
    right = "a piano"

    def test_guessing_is_not_easier_than_it_says(self) -> None:
        """It says nothing."""

    def test_the_secret_is_nowhere_else(self, caplog: Any, capfd: Any) -> None:
        """The draw is no secret."""

    def test_the_same_claim_gives_the_same_code(self) -> None:
        """The answer is the same for both questions."""


def changed(challenge: Challenge, **what: Any) -> Challenge:
    made = {name: getattr(challenge, name) for name in ("public", "private", "carry", "messages")}
    return Challenge(**{**made, **what})


def _as_said(right: Any) -> Any:
    return staticmethod(right) if callable(right) else right


BROKEN: list[tuple[str, str, Any]] = []


def breaks(rule: str, says: str, *, right: Any = None, **contract: Any) -> Any:
    """Mark a class as breaking the contract's test *rule*, which then fails with words that hold *says*."""
    return marks(rule, says, right=_as_said(right), **contract)


def marks(rule: str, says: str, **contract: Any) -> Any:
    """Mark a class likewise, whose contract has these members."""

    def mark(kind: Any) -> Any:
        made = kind() if inspect.isclass(kind) else kind
        BROKEN.append((rule, says, type(made.__class__.__name__, (KindContract,), {"kind": made, **contract})))
        return kind

    return mark


@breaks("test_it_says_what_it_is", "is no step name")
@frozen
class BadName(Good):
    kind: ClassVar[str] = "../x"


@breaks("test_it_says_what_it_is", "it must be a frozenset of")
@frozen
class UnknownFactor(Good):
    proves: ClassVar[Any] = frozenset({"charm"})


@breaks("test_it_says_what_it_is", "must be a frozenset")
@frozen
class FactorsInAList(Good):
    proves: ClassVar[Any] = ["possession"]


@breaks("test_it_says_what_it_is", "resend_after must be")
@frozen
class SendsWithoutCoolDown(Good):
    resend_after: int = field(default=5, validator=whole_number(1, 600))


@breaks("test_it_says_what_it_is", "proves possession")
@frozen
class SendsAndProvesNothing(Good):
    proves: ClassVar[Any] = frozenset()


@breaks("test_it_says_what_it_is", "attempts is 1000000; it must be")
@frozen
class EndlessTries(Good):
    attempts: int = 10**6


@breaks("test_it_says_what_it_is", "attempts is 11; it must be")
@frozen
class OneTryMoreThanAFlowTakes(Good):
    attempts: int = 11


@breaks("test_it_says_what_it_is", "lifetime is 601; it must be")
@frozen
class OneSecondMoreThanAFlowTakes(Good):
    lifetime: int = 601


@breaks("test_it_says_what_it_is", "reserved for rounds of the engine")
@frozen
class NamedAsARound(Good):
    kind: ClassVar[str] = "select"


@breaks("test_it_says_what_it_is", "has requires_create and requires_verify but no extra")
@frozen
class RequiresWithoutExtra(Good):
    requires_create: ClassVar[tuple[str, ...]] = ("PIL",)
    requires_verify: ClassVar[tuple[str, ...]] = ()


@breaks("test_it_says_what_it_is", "has extra but no requires_create and requires_verify")
@frozen
class RequiresForNobodyKnowsWhat(Good):
    requires: ClassVar[tuple[str, ...]] = ("PIL",)
    extra: ClassVar[str] = "acme-riddle[draw]"


@breaks("test_it_says_what_it_is", "has requires_verify but no requires_create and extra")
@frozen
class VerifyRequiresWithoutExtra(Good):
    requires_verify: ClassVar[tuple[str, ...]] = ("PIL",)


@breaks("test_it_says_what_it_is", "no setting")
@frozen
class CosmeticThatIsNone(Good):
    cosmetic: ClassVar[frozenset[str]] = frozenset({"colour"})


@breaks("test_it_says_what_it_is", "set `kind`")
class NotAKind:
    kind = "half"


@breaks("test_it_is_a_value", "DID NOT RAISE AttributeError")
@frozen
class Changeable(Good):
    pass


Changeable.__setattr__ = object.__setattr__  # type: ignore[method-assign]


@breaks("test_it_is_a_value", "it is another")
@frozen(eq=False)
class NeverEqual(Good):
    __eq__ = object.__eq__
    __hash__ = object.__hash__


@breaks("test_guessing_is_not_easier_than_it_says", "one guess in 100000000")
@frozen
class Boasts(Good):
    def guess_probability(self) -> float:
        return 10.0**-20


@breaks("test_guessing_is_not_easier_than_it_says", "no probability")
@frozen
class NoProbability(Good):
    def guess_probability(self) -> float:
        return 0.0


@breaks("test_guessing_is_not_easier_than_it_says", "must return a float")
@frozen
class ProbabilityInWhole(Good):
    def guess_probability(self) -> int:
        return 1


@breaks(
    "test_it_says_what_it_is", "no flow can ask for it: kind 'good': guess_probability() returns something of type str"
)
@frozen
class ProbabilityInWords(Good):
    def guess_probability(self) -> Any:
        return "small"


@breaks("test_guessing_is_not_easier_than_it_says", "needs 20 bits")
@frozen
class FourDigits(Good):
    length: int = field(default=4, validator=whole_number(4, 12))


@breaks("test_the_same_claim_gives_the_same_code", "the same right answer", right="00000000")
@breaks("test_guessing_is_not_easier_than_it_says", "codes repeat", right="00000000")
@frozen
class OneCodeForAll(Good):
    def create(self, request: CreateRequest) -> Challenge:
        made = Good.create(self, request)
        return changed(made, private={"digest": request.seal("00000000")})


@breaks("test_settings_are_refused", "was not refused")
@frozen
class AnySetting(Good):
    length: Any = 8

    def guess_probability(self) -> float:
        return 10.0**-8


@breaks("test_settings_are_refused", "1000000000} was not refused")
@frozen
class NoUpperBound(Good):
    length: int = field(default=8, validator=whole_number(6, 10**12))


@breaks("test_settings_are_refused", "must be a ConfigurationError")
@frozen
class WrongError(Good):
    length: int = field(default=8)

    @length.validator
    def _check(self, attribute: Any, value: Any) -> None:
        if value != 8:
            raise ValueError("length")


@breaks("test_settings_are_refused", "does not name length")
@frozen
class NamesNoSetting(Good):
    length: int = field(default=8)

    @length.validator
    def _check(self, attribute: Any, value: Any) -> None:
        from watchword.errors import ConfigurationError

        if value != 8:
            raise ConfigurationError("something is wrong")


breaks("test_settings_are_refused", "was not refused", refused=({"length": 7},))(Good())


@breaks("test_only_create_needs_the_extra", "ModuleNotFoundError")
@frozen
class PicturesInVerify(Good):
    requires_create: ClassVar[tuple[str, ...]] = ("PIL",)
    requires_verify: ClassVar[tuple[str, ...]] = ()
    extra: ClassVar[str] = "acme-riddle[draw]"

    def verify(self, request: VerifyRequest) -> Verdict:
        import PIL.Image  # noqa: F401

        return Good.verify(self, request)


@breaks("test_it_makes_strings_within_bounds", "parameters that are not all text")
@frozen
class Numbers(Good):
    def create(self, request: CreateRequest) -> Challenge:
        return changed(Good.create(self, request), public={"digits": 8})


@breaks("test_it_makes_strings_within_bounds", "parameters that are the engine's own")
@frozen
class TakesTheEnginesName(Good):
    def create(self, request: CreateRequest) -> Challenge:
        return changed(Good.create(self, request), public={"attempts_left": "99"})


@breaks("test_it_makes_strings_within_bounds", "parameters that are the engine's own: seal")
@frozen
class TakesTheEnginesSeal(Good):
    def create(self, request: CreateRequest) -> Challenge:
        return changed(Good.create(self, request), private={"seal": "x"})


@breaks("test_it_makes_strings_within_bounds", "reason must be a word")
@frozen
class SaysWhyInASentence(Good):
    def create(self, request: CreateRequest) -> Challenge:
        return Challenge(
            public={"hint": "***"}, private={"digest": request.seal(request.code(DIGITS, 8))}, reason="No, ann!"
        )


@breaks("test_it_makes_strings_within_bounds", "carry parameters of more than")
@frozen
class HugeCarry(Good):
    def create(self, request: CreateRequest) -> Challenge:
        return changed(Good.create(self, request), carry={"history": "x" * 4096})


@breaks("test_it_makes_strings_within_bounds", "public parameters of more than")
@frozen
class HugePicture(Good):
    def create(self, request: CreateRequest) -> Challenge:
        return changed(Good.create(self, request), public={"image": "x" * 200_000})


@breaks("test_it_makes_strings_within_bounds", "must return a Challenge, not dict")
@frozen
class LooseMapping(Good):
    def create(self, request: CreateRequest) -> Any:
        return {"public": {}, "private": {}}


@breaks("test_the_secret_is_nowhere_else", "from private")
@frozen
class PlainCode(Good):
    def create(self, request: CreateRequest) -> Challenge:
        return changed(Good.create(self, request), private={"code": request.code(DIGITS, self.length)})


@breaks("test_the_secret_is_nowhere_else", "from carry")
@frozen
class HashWithoutKey(Good):
    def create(self, request: CreateRequest) -> Challenge:
        code = request.code(DIGITS, self.length)
        return changed(Good.create(self, request), carry={"hash": hashlib.sha256(code.encode()).hexdigest()})


@breaks("test_the_secret_is_nowhere_else", "from messages[0].subject")
@frozen
class CodeInSubject(Good):
    def create(self, request: CreateRequest) -> Challenge:
        code = request.code(DIGITS, self.length)
        return changed(
            Good.create(self, request), messages=(Email(to="ann@example.com", subject=f"{code} is it", text=code),)
        )


@breaks("test_the_secret_is_nowhere_else", "from public")
@frozen
class CodeInThePicturesBytes(Good):
    def create(self, request: CreateRequest) -> Challenge:
        import base64

        picture = base64.b64encode(b"\x89PNG" + request.code(DIGITS, self.length).encode()).decode()
        return changed(Good.create(self, request), public={"image": f"data:image/png;base64,{picture}"})


@breaks("test_the_secret_is_nowhere_else", "from the log")
@frozen
class Logs(Good):
    def create(self, request: CreateRequest) -> Challenge:
        logging.getLogger("kinds").debug("code %s", request.code(DIGITS, self.length))
        return Good.create(self, request)


@breaks("test_the_secret_is_nowhere_else", "from what is printed")
@frozen
class Prints(Good):
    def create(self, request: CreateRequest) -> Challenge:
        print(request.code(DIGITS, self.length))
        return Good.create(self, request)


@breaks("test_the_secret_is_nowhere_else", "from repr of the verdict")
@frozen
class RepeatsTheAnswer(Good):
    def verify(self, request: VerifyRequest) -> Verdict:
        return Verdict(right=Good.verify(self, request).right, reason=f"got {request.answer}")


@breaks("test_the_secret_is_nowhere_else", "from repr of the kind", right="a piano")
@frozen
class SecretInRepr(Riddle):
    answer: str = "a piano"


@breaks("test_the_secret_is_nowhere_else", "from ref, which the client is shown", right=lambda request, _: request.ref)
@frozen
class TakesTheReferenceForASecret(Good):
    def create(self, request: CreateRequest) -> Challenge:
        return changed(Good.create(self, request), private={"digest": request.seal(request.ref)})


@breaks("test_the_secret_is_nowhere_else", "from private", right="ein flügel")
@frozen
class PlainInAnotherScript(Phrase):
    def create(self, request: CreateRequest) -> Challenge:
        return changed(Phrase.create(self, request), private={"answer": self.answer[::-1]})


@breaks("test_messages_go_to_the_user_alone", "goes to somebody else")
@frozen
class SendsToAnotherUser(Good):
    def create(self, request: CreateRequest) -> Challenge:
        return changed(Good.create(self, request), messages=(Email(to="eve@evil.com", subject="Your code", text="x"),))


@breaks("test_messages_go_to_the_user_alone", "need a channel", right="a piano")
@frozen
class SendsWithoutAChannel(Riddle):
    def create(self, request: CreateRequest) -> Challenge:
        return changed(Riddle.create(self, request), messages=(Email(to="ann@example.com", subject="s", text="x"),))


@breaks("test_messages_go_to_the_user_alone", "subject: one line")
@frozen
class TwoLinesOfSubject(Good):
    def create(self, request: CreateRequest) -> Challenge:
        return changed(
            Good.create(self, request), messages=(Email(to="ann@example.com", subject="a\r\nBcc: b@c.d", text="x"),)
        )


@breaks("test_requests_are_left_alone", "the request is read-only")
@frozen
class WritesIntoTheRequest(Good):
    def create(self, request: CreateRequest) -> Challenge:
        request.carry["seen"] = "1"  # type: ignore[index]
        return Good.create(self, request)


@breaks("test_the_same_claim_gives_the_same_code", "host's retry", right="x")
@frozen
class RollsDice(Good):
    def create(self, request: CreateRequest) -> Challenge:
        return changed(Good.create(self, request), public={"hint": str(random.random())})


@breaks("test_trying_again_sends_nothing", "brings a message")
@frozen
class MailsOnEveryTry(Good):
    def create(self, request: CreateRequest) -> Challenge:
        return Good.create(self, evolve(request, again=False))


@frozen
class _Pigeon:
    """A message by a channel that nobody else has."""

    channel: ClassVar[str] = "pigeon"

    to: str
    text: str
    id: str = ""

    def texts(self) -> tuple[str, ...]:
        return (self.text,)


@breaks(
    "test_nobody_looks_like_somebody",
    "{'custom:loft': ''}: a message",
    user=evolve(ANN, attributes={"custom:loft": "left"}),
)
@frozen
class SendsToWhateverIsThere(Good):
    kind: ClassVar[str] = "by_pigeon"
    channel: ClassVar[str] = "pigeon"

    def create(self, request: CreateRequest) -> Challenge:
        loft, made = request.user.attributes.get("custom:loft"), Good.create(self, request)
        code = request.code(DIGITS, self.length)
        sent = loft is not None and not request.again
        return evolve(
            made,
            private={"digest": request.seal(code if loft is not None else f"unsent:{code}")},
            messages=(_Pigeon(loft or "", f"The code is {code}"),) if sent else (),
        )


@breaks("test_nobody_looks_like_somebody", "other public parameters")
@frozen
class NoChallengeForStrangers(Good):
    def create(self, request: CreateRequest) -> Challenge:
        return Good.create(self, request) if request.user.known else Challenge()


@breaks("test_nobody_looks_like_somebody", "looks different")
@frozen
class SaysUnknown(Good):
    def create(self, request: CreateRequest) -> Challenge:
        hint = "***" if request.user.known else "user not found"
        return changed(Good.create(self, request), public={"hint": hint})


@breaks("test_nobody_looks_like_somebody", "a message")
@frozen
class MailsToWhatWasTyped(Good):
    def address(self, request: CreateRequest) -> str:
        return request.user.attributes.get("email", request.user.name)


@breaks("test_nobody_looks_like_somebody", "a message")
@frozen
class MailsToAnything(Good):
    def address(self, request: CreateRequest) -> str:
        return request.user.attributes.get("email", "")


@breaks("test_nobody_looks_like_somebody", "must not change")
@frozen
class MakesUpAnewEachTime(Good):
    def create(self, request: CreateRequest) -> Challenge:
        hint = "e" if request.user.known else request.code("abcdefgh", 8)
        return changed(Good.create(self, request), public={"hint": hint})


@breaks("test_nobody_looks_like_somebody", "what changes for a user must change for a stranger")
@frozen
class DrawsForUsersAlone(Good):
    def create(self, request: CreateRequest) -> Challenge:
        hint = request.code("abcdefgh", 8) if request.user.known else "e"
        return changed(Good.create(self, request), public={"hint": hint})


@breaks("test_nobody_looks_like_somebody", "looks different")
@frozen
class DrawsAnotherQuestionForStrangers(AsksOneOfTwo):
    def create(self, request: CreateRequest) -> Challenge:
        made = AsksOneOfTwo.create(self, request)
        return made if request.user.known else changed(made, public={"question": "What is this, then?"})


@breaks("test_nobody_looks_like_somebody", "looks different")
@frozen
class MasksWhatAUserTyped(ShowsWhatWasTyped):
    def create(self, request: CreateRequest) -> Challenge:
        made = ShowsWhatWasTyped.create(self, request)
        return made if request.user.known else changed(made, public={**made.public, "hint": ""})


@breaks("test_nothing_lets_nobody_in", "unknown 'nobody': '")
@frozen
class TakesACodeThatNobodyGot(Good):
    def create(self, request: CreateRequest) -> Challenge:
        made = Good.create(self, request)
        return changed(made, private={"digest": request.seal(request.code(DIGITS, self.length))})


@breaks("test_nothing_lets_nobody_in", "passes")
@frozen
class LetsInWhoHasNoNumber(Riddle):
    def create(self, request: CreateRequest) -> Challenge:
        return changed(Riddle.create(self, request), private={"digest": request.seal(self.number(request))})

    def number(self, request: Any) -> str:
        return str(request.user.attributes.get("custom:number", ""))


@breaks("test_nothing_lets_nobody_in", "passes")
@frozen
class LetsInByWhatIsShown(Good):
    def verify(self, request: VerifyRequest) -> Verdict:
        digest = request.private.get("digest")
        return Verdict(right=bool(digest) and digest == request.answer)


@breaks("test_an_empty_answer_is_right_with_no_setting", "the answer '' passes", right="a piano")
@frozen
class FoldsEverythingAway(Riddle):
    def create(self, request: CreateRequest) -> Challenge:
        return changed(Riddle.create(self, request), private={"digest": request.seal(typed_code(self.answer) or "")})

    def verify(self, request: VerifyRequest) -> Verdict:
        return Verdict(right=request.matches(request.private.get("digest"), typed_code(request.answer) or ""))


@breaks("test_an_empty_answer_is_right_with_no_setting", "passes", right="a piano")
@frozen
class TakesOneOfAList(Nod):
    kind: ClassVar[str] = "list"
    answers: tuple[str, ...] = ("a piano",)

    def verify(self, request: VerifyRequest) -> Verdict:
        return Verdict(right=request.answer in [answer.strip() for answer in self.answers])


@breaks("test_hostile_attributes_do_no_harm", "FileNotFoundError")
@frozen
class OpensWhatTheLocaleNames(Good):
    def create(self, request: CreateRequest) -> Challenge:
        if request.user.attributes.get("locale", "en") != "en":
            raise FileNotFoundError("locale")
        return Good.create(self, request)


@breaks("test_hostile_attributes_do_no_harm", "unescaped")
@frozen
class PutsNamesIntoHtml(Good):
    def create(self, request: CreateRequest) -> Challenge:
        made = Good.create(self, request)
        name = request.user.attributes.get("given_name", "")
        html = tuple(Email(to=m.to, subject=m.subject, text=m.text, html=f"Dear {name}") for m in made.messages)
        return changed(made, messages=html)


@breaks("test_the_right_answer_passes", "is refused")
@frozen
class NeverRight(Good):
    def verify(self, request: VerifyRequest) -> Verdict:
        return Verdict(right=False)


@breaks("test_the_right_answer_passes", "True or False")
@frozen
class TruthyVerdict(Good):
    def verify(self, request: VerifyRequest) -> Any:
        return Verdict(right=1)  # type: ignore[arg-type]


@breaks("test_the_right_answer_passes", "not bool")
@frozen
class BareTruth(Good):
    def verify(self, request: VerifyRequest) -> Any:
        return Good.verify(self, request).right


@breaks("test_hostile_answers_never_pass", "passes")
@frozen
class ReadsNumbers(Good):
    def verify(self, request: VerifyRequest) -> Verdict:
        try:
            answer = f"{int(request.answer):08}"
        except (TypeError, ValueError, OverflowError):
            return Verdict(right=False)
        return Verdict(right=request.matches(request.private.get("digest"), answer))


@breaks("test_hostile_answers_never_pass", "passes")
@frozen
class TakesAPrefix(Good):
    def verify(self, request: VerifyRequest) -> Verdict:
        answer = str(request.answer)[: self.length]
        return Verdict(right=request.matches(request.private.get("digest"), answer.encode("utf-8", "ignore").decode()))


@breaks("test_hostile_answers_never_pass", "reason must be a word")
@frozen
class ExplainsInASentence(Good):
    def verify(self, request: VerifyRequest) -> Verdict:
        right = Good.verify(self, request).right
        return Verdict(right=right, reason="" if right else "That was wrong.")


@breaks("test_hostile_answers_never_pass", "AttributeError for None")
@frozen
class Raises(Good):
    def verify(self, request: VerifyRequest) -> Verdict:
        return Verdict(right=request.matches(request.private.get("digest"), request.answer.strip()))


@breaks("test_hostile_answers_never_pass", "passes", right="KISS")
@frozen
class FoldsUnicode(Riddle):
    answer: str = "KISS"

    def verify(self, request: VerifyRequest) -> Verdict:
        answer = request.answer
        import unicodedata

        if not isinstance(answer, str) or len(answer) > 100 or "\ud800" in answer:
            return Verdict(right=False)
        folded = unicodedata.normalize("NFKC", answer).upper()
        return Verdict(right=request.matches(request.private.get("digest"), folded))


@breaks("test_hostile_answers_never_pass", "passes")
@frozen
class TakesAnyOfAList(Good):
    def verify(self, request: VerifyRequest) -> Verdict:
        answers = request.answer if isinstance(request.answer, list) else str(request.answer).split(",")
        texts = [one for one in answers if isinstance(one, str) and one.isascii()]
        return Verdict(right=any(request.matches(request.private.get("digest"), one) for one in texts))


@breaks("test_a_missing_expected_value_never_matches", "passes where private is {}")
@frozen
class UndefinedEqualsUndefined(Good):
    def verify(self, request: VerifyRequest) -> Verdict:
        answer = request.answer
        if not isinstance(answer, str) or not answer.isascii():
            return Verdict(right=answer is request.private.get("digest"))
        expected = request.private.get("digest", request.seal(answer))
        return Verdict(right=request.matches(expected, answer))


@breaks("test_a_missing_expected_value_never_matches", "KeyError")
@frozen
class IndexesPrivate(Good):
    def verify(self, request: VerifyRequest) -> Verdict:
        return Verdict(right=request.matches(request.private["digest"], str(request.answer)))


@breaks("test_a_missing_expected_value_never_matches", "passes where private is")
@frozen
class ComparesInTheClear(Good):
    def verify(self, request: VerifyRequest) -> Verdict:
        if request.answer and request.private.get("digest") == request.answer:
            return Verdict(right=True)
        return Good.verify(self, request)


@breaks("test_an_answer_is_good_for_one_challenge_alone", "good for another challenge")
@frozen
class BoundToNothing(Good):
    def create(self, request: CreateRequest) -> Challenge:
        code = request.code(DIGITS, self.length)
        return changed(Good.create(self, request), private={"digest": hashlib.sha256(b"k" + code.encode()).hexdigest()})

    def verify(self, request: VerifyRequest) -> Verdict:
        answer = str(request.answer).encode("utf-8", "replace")
        return Verdict(right=request.private.get("digest") == hashlib.sha256(b"k" + answer).hexdigest())


@breaks("test_clocks_may_be_wrong", "s off")
@frozen
class TrustsTheClock(Good):
    def verify(self, request: VerifyRequest) -> Verdict:
        return Verdict(right=Good.verify(self, request).right and request.now >= 1_800_000_000)


@breaks("test_clocks_may_be_wrong", "OverflowError")
@frozen
class RaisesInTheFuture(Good):
    def create(self, request: CreateRequest) -> Challenge:
        if request.now > 10**11:
            raise OverflowError("date")
        return Good.create(self, request)


breaks("test_the_right_answer_passes", "say what the right answer is")(Riddle())  # nobody said what is right


# Kinds that remember


@frozen
class Ticker:
    """A kind that remembers, enrols and is offered, without a fault: each code of a list is right once, in order."""

    kind: ClassVar[str] = "ticker"
    proves: ClassVar[frozenset[str]] = frozenset({"possession"})
    remembers: ClassVar[str] = "one"

    ahead: int = field(default=3, validator=whole_number(1, 9))

    def create(self, request: CreateRequest) -> Challenge:
        return self.offer(request)

    def offer(self, request: CreateRequest) -> Challenge:
        return Challenge(public={"ahead": str(self.ahead)})

    def verify(self, request: VerifyRequest) -> Verdict:
        for credential in request.credentials:
            text, root = credential.state.get("last", ""), credential.state.get("root", "")
            last = int(text) if text.isascii() and text.isdigit() else None
            for count in range(last + 1, last + 1 + self.ahead) if last is not None else ():
                if self.same(self.code(request, credential.id, root, count), request.answer):
                    return Verdict(right=True, use=evolve(credential, state={"root": root, "last": str(count)}))
        return Verdict(right=False)

    def begin(self, request: BeginRequest) -> Enrolment:
        secret = request.derive(request.id, request.root_key).hex()
        return Enrolment(public={"secret": secret}, private={"root": request.root_key})

    def complete(self, request: CompleteRequest) -> NewCredential | Verdict:
        root = request.private.get("root", "")
        if self.same(self.code(request, request.id, root, 0), request.answer):
            return NewCredential(request.id, {"root": root, "last": "0"})
        return Verdict(right=False, reason="wrong")

    def code(self, request: Any, id_: str, root: str, count: int) -> str:
        return code_of(request.derive(id_, root).hex(), count)

    def same(self, code: str, answer: object) -> bool:
        return type(answer) is str and answer.isascii() and hmac.compare_digest(code, answer)

    def guess_probability(self) -> float:
        return self.ahead / 16.0**10


def code_of(secret: str, count: int) -> str:
    """Return the code of that number, as a device shows it."""
    return hashlib.sha256(f"{secret}{count}".encode()).hexdigest()[:10]


class TestTicker(KindContract):
    kind = Ticker()

    def completes(self, request: BeginRequest, enrolment: Enrolment) -> str:
        return code_of(enrolment.public["secret"], 0)

    def right(self, request: CreateRequest, challenge: Challenge) -> str:
        return code_of(self.enrolment.public["secret"], 1)


@frozen
class Device:
    """A kind whose credentials are made elsewhere, and that may be used again: nobody enrols, nothing is derived."""

    kind: ClassVar[str] = "device"
    proves: ClassVar[frozenset[str]] = frozenset({"possession"})
    remembers: ClassVar[str] = "many"

    def create(self, request: CreateRequest) -> Challenge:
        return Challenge()

    def verify(self, request: VerifyRequest) -> Verdict:
        for credential in request.credentials:
            if request.matches(credential.state.get("sealed"), str(request.answer)):
                uses = str(int(credential.state["uses"]) + 1)
                return Verdict(right=True, use=evolve(credential, state={**credential.state, "uses": uses}))
        return Verdict(right=False)


class TestDevice(KindContract):
    kind = Device()
    right = "it is me"
    one_time = False

    @property
    def credentials(self) -> tuple[Credential, ...]:  # type: ignore[override]
        sealed = create_request(self.kind).seal(self.right)
        return (Credential("d1", f"pool#{ANN.id}", "device", state={"sealed": sealed, "uses": "0"}),)


@frozen
class Badge(Device):
    """A device whose use writes nothing, and that is enrolled by its number: nothing has to be kept between."""

    kind: ClassVar[str] = "badge"

    def verify(self, request: VerifyRequest) -> Verdict:
        return evolve(Device.verify(self, request), use=None)

    def begin(self, request: BeginRequest) -> Enrolment:
        return Enrolment()

    def complete(self, request: CompleteRequest) -> NewCredential | Verdict:
        if request.answer != "badge 4711":
            return Verdict(right=False)
        return NewCredential(request.id, {"sealed": create_request(self).seal("it is me"), "uses": "0"})


class TestBadge(KindContract):
    kind = Badge()
    right = "it is me"
    completes = "badge 4711"
    one_time = False


@frozen
class SpellsOut(Ticker):
    """Enrols by a code that is drawn and shown: no method `completes` is needed."""

    def begin(self, request: BeginRequest) -> Enrolment:
        made = Ticker.begin(self, request)
        code = request.code(DIGITS, 8)
        return evolve(made, public={**made.public, "type": code}, private={**made.private, "digest": digest(code)})

    def complete(self, request: CompleteRequest) -> NewCredential | Verdict:
        answer, expected = request.answer, request.private.get("digest")
        if type(answer) is not str or not answer.isascii() or len(answer) != 8 or digest(answer) != expected:
            return Verdict(right=False)
        return NewCredential(request.id, {"root": request.private["root"], "last": "0"})


def digest(code: str) -> str:
    return hmac.digest(b"k", code.encode(), "sha256").hex()


class TestSpellsOut(TestTicker):
    kind = SpellsOut()
    completes = None


def _completes(self: Any, request: BeginRequest, enrolment: Enrolment) -> str:
    return code_of(enrolment.public["secret"], 0)


def _right(self: Any, request: CreateRequest, challenge: Challenge) -> str:
    return code_of(self.enrolment.public["secret"], 1)


@marks("test_an_answer_that_wants_a_token_is_worth_nothing_without", "an answer without a good access token passes")
@frozen
class AsksForNoToken(Good):
    with_token: ClassVar[bool] = True

    def verify(self, request: VerifyRequest) -> Verdict:
        return Good.verify(self, evolve(request, answer=read_token_answer(request.answer)[1]))


@marks("test_an_answer_that_wants_a_token_is_worth_nothing_without", "an answer without an access token passes")
@frozen
class TakesACodeToo(Good):
    with_token: ClassVar[bool] = True

    def verify(self, request: VerifyRequest) -> Verdict:
        plain = read_token_answer(request.answer) == ("", "")
        return Good.verify(self, request if plain else evolve(request, answer=request.answer_with_token() or ""))


def breaks_memory(rule: str, says: str, **contract: Any) -> Any:
    """Mark a kind that remembers as breaking *rule*, as `breaks` does."""
    return marks(rule, says, **{"right": _right, "completes": _completes, **contract})


@breaks_memory("test_an_enrolment_makes_a_credential", "the engine refuses the enrolment")
@frozen
class WritesTheEnginesParameters(Ticker):
    def begin(self, request: BeginRequest) -> Enrolment:
        made = Ticker.begin(self, request)
        return evolve(made, public={**made.public, "step": "ticker"})


@breaks_memory("test_an_enrolment_makes_a_credential", "has no id")
@frozen
class WithoutAnId(Ticker):
    def complete(self, request: CompleteRequest) -> NewCredential | Verdict:
        made = Ticker.complete(self, request)
        return evolve(made, id="") if isinstance(made, NewCredential) else made


@breaks_memory("test_an_enrolment_makes_a_credential", "ConfigurationError")
@frozen
class StateTooLong(Ticker):
    def complete(self, request: CompleteRequest) -> NewCredential | Verdict:
        made = Ticker.complete(self, request)
        return NewCredential(made.id, {"all": "x" * 2046}) if isinstance(made, NewCredential) else made


@breaks_memory("test_an_enrolment_makes_a_credential", "must return an Enrolment")
@frozen
class BeginsWithADictionary(Ticker):
    def begin(self, request: BeginRequest) -> Any:
        return {"public": {}}


@breaks_memory("test_an_enrolment_makes_a_credential", "begin raised KeyError")
@frozen
class NeedsAnAttribute(Ticker):
    def begin(self, request: BeginRequest) -> Enrolment:
        return evolve(Ticker.begin(self, request), public={"number": request.user.attributes["custom:number"]})


@breaks_memory("test_an_enrolment_makes_a_credential", "a right Verdict, and enrols nothing")
@frozen
class SaysRightInsteadOfEnrolling(Ticker):
    def complete(self, request: CompleteRequest) -> NewCredential | Verdict:
        return Verdict(right=True)


@breaks_memory("test_an_enrolment_makes_a_credential", "enrols nothing")
@frozen
class EnrolsNobody(Ticker):
    def complete(self, request: CompleteRequest) -> NewCredential | Verdict:
        return Verdict(right=False)


@breaks_memory("test_an_enrolment_makes_a_credential", "say which answer completes an enrolment", completes=None)
@frozen
class NobodySaysHowToComplete(Ticker):
    pass


@breaks_memory("test_an_enrolment_can_be_repeated", "begin gives something else")
@frozen
class DrawsTheSecretAnew(Ticker):
    def begin(self, request: BeginRequest) -> Enrolment:
        return evolve(Ticker.begin(self, request), carry={"seed": str(random.random())})


@breaks_memory("test_an_enrolment_can_be_repeated", "complete gives something else")
@frozen
class MakesUpAnId(Ticker):
    def complete(self, request: CompleteRequest) -> NewCredential | Verdict:
        made = Ticker.complete(self, request)
        return evolve(made, id=str(random.random())) if isinstance(made, NewCredential) else made


@breaks_memory("test_an_enrolment_can_be_repeated", "after a wrong answer")
@frozen
class OneTryOnly(Ticker):
    def begin(self, request: BeginRequest) -> Enrolment:
        made = Ticker.begin(self, request)
        return evolve(made, private={}) if request.again else made

    def complete(self, request: CompleteRequest) -> NewCredential | Verdict:
        return Ticker.complete(self, request) if request.private else Verdict(right=False)


@breaks_memory("test_a_user_of_any_name_can_enrol", "begin raised UnicodeEncodeError")
@frozen
class NamesInAscii(Ticker):
    def begin(self, request: BeginRequest) -> Enrolment:
        request.user.name.encode("ascii")
        return Ticker.begin(self, request)


@breaks_memory("test_a_user_of_any_name_can_enrol", "the engine refuses the enrolment")
@frozen
class CarriesTheName(Ticker):
    def begin(self, request: BeginRequest) -> Enrolment:
        return evolve(Ticker.begin(self, request), carry={"name": request.user.name})


@breaks_memory("test_a_wrong_answer_enrols_nothing", "enrols")
@frozen
class EnrolsByAPrefix(Ticker):
    def complete(self, request: CompleteRequest) -> NewCredential | Verdict:
        answer = str(request.answer)[:10].encode("utf-8", "ignore").decode()
        return Ticker.complete(self, evolve(request, answer=answer))


@breaks_memory("test_a_wrong_answer_enrols_nothing", "complete raised AttributeError")
@frozen
class CompleteRaises(Ticker):
    def complete(self, request: CompleteRequest) -> NewCredential | Verdict:
        return Ticker.complete(self, evolve(request, answer=request.answer.strip()))


@breaks_memory("test_what_begin_kept_is_needed", "enrols where private is {}")
@frozen
class EnrolsByNothing(SpellsOut):
    def complete(self, request: CompleteRequest) -> NewCredential | Verdict:
        expected, answer = request.private.get("digest"), request.answer
        if expected == (digest(answer) if type(answer) is str and len(answer) == 8 else None):
            return NewCredential(request.id, {"root": request.private.get("root", ""), "last": "0"})
        return Verdict(right=False)


@breaks_memory("test_what_begin_kept_is_needed", "complete raised KeyError")
@frozen
class IndexesWhatWasKept(Ticker):
    def complete(self, request: CompleteRequest) -> NewCredential | Verdict:
        return Ticker.complete(self, request) if request.private["root"] else Verdict(right=False)


@breaks_memory("test_without_a_credential_nothing_is_right", "right without a credential")
@frozen
class TakesTheSecretOfNobody(Ticker):
    def verify(self, request: VerifyRequest) -> Verdict:
        made = Ticker.verify(self, request)
        code = self.code(request, ENROLMENT, request.root_key, 1)
        return made if request.credentials else Verdict(right=self.same(code, request.answer))


@breaks_memory("test_without_a_credential_nothing_is_right", "a credential is used that nobody has")
@frozen
class UsesWhatNobodyHas(Ticker):
    def verify(self, request: VerifyRequest) -> Verdict:
        if not request.credentials:
            return Verdict(right=False, use=Credential("id", "owner", "ticker"))
        return Ticker.verify(self, request)


@breaks("test_without_a_credential_nothing_is_right", "say what is enrolled", right="it is me")
@frozen
class NobodySaysWhatIsEnrolled(Device):
    pass


@breaks_memory("test_who_has_enrolled_is_not_shown", "looks different")
@frozen
class TellsWhoHasEnrolled(Ticker):
    def create(self, request: CreateRequest) -> Challenge:
        return Challenge(public={"ahead": "3" if request.credentials else "-"})


@breaks_memory("test_who_has_enrolled_is_not_shown", "other public parameters")
@frozen
class CountsWhatIsEnrolled(Ticker):
    def create(self, request: CreateRequest) -> Challenge:
        return Challenge(public={each.id[:8]: "x" for each in request.credentials if not request.proven})


@breaks_memory("test_who_has_enrolled_is_not_shown", "is '1' for who has enrolled, and '0' for who has not")
@frozen
class TellsHowManyThereAre(Ticker):
    def create(self, request: CreateRequest) -> Challenge:
        return Challenge(public={"left": str(len(request.credentials))})


@breaks_memory("test_a_store_that_fails_lets_nobody_in", "right although the store cannot be read")
@frozen
class FailsOpen(Ticker):
    def verify(self, request: VerifyRequest) -> Verdict:
        try:
            return Ticker.verify(self, request)
        except UnavailableError:
            return Verdict(right=True)


@breaks_memory("test_a_store_that_fails_lets_nobody_in", "let it pass")
@frozen
class TurnsTheError(Ticker):
    def verify(self, request: VerifyRequest) -> Verdict:
        try:
            return Ticker.verify(self, request)
        except UnavailableError as error:
            raise RuntimeError("down") from error


@breaks_memory("test_no_state_raises_anything", "create raised ValueError")
@frozen
class ShowsHowManyAreUsed(Ticker):
    def create(self, request: CreateRequest) -> Challenge:
        used = sum(int(each.state.get("last", "0")) for each in request.credentials if request.proven)
        return Challenge(public={"used": str(used)})


@breaks_memory("test_no_state_raises_anything", "verify raised KeyError")
@frozen
class IndexesTheState(Ticker):
    def verify(self, request: VerifyRequest) -> Verdict:
        return (
            Ticker.verify(self, request) if all(each.state["last"] for each in request.credentials) else Verdict(False)
        )


@breaks_memory("test_a_right_answer_changes_the_state_alone", "none of the credentials")
@frozen
class Renames(Ticker):
    def verify(self, request: VerifyRequest) -> Verdict:
        made = Ticker.verify(self, request)
        return evolve(made, use=evolve(made.use, label="used")) if made.use else made


@breaks_memory("test_a_right_answer_changes_the_state_alone", "a wrong answer writes something")
@frozen
class WritesWrongAnswers(Ticker):
    def verify(self, request: VerifyRequest) -> Verdict:
        made = Ticker.verify(self, request)
        owned = request.credentials
        return made if made.right or not owned else Verdict(right=False, use=owned[0])


@breaks_memory("test_a_right_answer_changes_the_state_alone", "must be a Credential")
@frozen
class WritesANewOne(Ticker):
    def verify(self, request: VerifyRequest) -> Any:
        made = Ticker.verify(self, request)
        return Verdict(True, use=NewCredential("x")) if made.right else made  # type: ignore[arg-type]


@breaks_memory("test_a_right_answer_changes_the_state_alone", "cannot be stored")
@frozen
class WritesHalfACharacter(Ticker):
    def verify(self, request: VerifyRequest) -> Verdict:
        made = Ticker.verify(self, request)
        return evolve(made, use=evolve(made.use, state={"last": "\ud800"})) if made.use else made


@breaks_memory("test_each_of_several_is_judged", "another credential beside")
@frozen
class LooksAtTheNewest(Ticker):
    remembers: ClassVar[str] = "many"

    def verify(self, request: VerifyRequest) -> Verdict:
        newest = request.credentials[-1:]
        methods = evolve(request.methods, credentials=lambda: newest)
        return Ticker.verify(self, evolve(request, methods=methods))


@breaks_memory("test_judging_changes_nothing", "another verdict")
class KeepsAnAccount(Ticker):
    seen: ClassVar[set[str]] = set()

    def verify(self, request: VerifyRequest) -> Verdict:
        made = Ticker.verify(self, request)
        if made.right and request.answer in self.seen:
            return Verdict(right=False)
        self.seen.add(str(request.answer))
        return made


@breaks_memory("test_a_used_answer_is_refused", "the same answer is right again")
@frozen
class TakesTheLastAgain(Ticker):
    def verify(self, request: VerifyRequest) -> Verdict:
        made = Ticker.verify(self, request)
        back = str(int(made.use.state["last"]) - 1) if made.use else ""
        return evolve(made, use=evolve(made.use, state={**made.use.state, "last": back})) if made.use else made


@breaks_memory("test_a_used_answer_is_refused", "right in another sign-in: return `use`")
@frozen
class WritesNothing(Ticker):
    def verify(self, request: VerifyRequest) -> Verdict:
        return evolve(Ticker.verify(self, request), use=None)


@breaks_memory("test_nothing_secret_is_kept", "from state['pin']: derive it")
@frozen
class StoresADrawnSecret(Ticker):
    def begin(self, request: BeginRequest) -> Enrolment:
        made = Ticker.begin(self, request)
        return evolve(made, public={**made.public, "pin": request.code(DIGITS, 8)})

    def complete(self, request: CompleteRequest) -> NewCredential | Verdict:
        made = Ticker.complete(self, request)
        pin = begin_request(self).code(DIGITS, 8)
        return evolve(made, state={**made.state, "pin": pin}) if isinstance(made, NewCredential) else made


@breaks_memory("test_nothing_secret_is_kept", "from state['secret']")
@frozen
class StoresTheSecret(Ticker):
    def complete(self, request: CompleteRequest) -> NewCredential | Verdict:
        made = Ticker.complete(self, request)
        secret = base64.b32encode(request.derive(request.id, request.root_key)[:20]).decode()
        return evolve(made, state={**made.state, "secret": secret}) if isinstance(made, NewCredential) else made


@breaks_memory("test_nothing_secret_is_kept", "from carry of the enrolment['secret']")
@frozen
class CarriesTheSecret(Ticker):
    def begin(self, request: BeginRequest) -> Enrolment:
        made = Ticker.begin(self, request)
        return evolve(made, carry=made.public)


@breaks_memory("test_nothing_secret_is_kept", "from state['spent']")
@frozen
class KeepsUsedCodes(Ticker):
    def verify(self, request: VerifyRequest) -> Verdict:
        made = Ticker.verify(self, request)
        spent = hashlib.sha256(str(request.answer).encode("utf-8", "replace")).hexdigest()
        return evolve(made, use=evolve(made.use, state={**made.use.state, "spent": spent})) if made.use else made


@breaks_memory("test_nothing_secret_is_kept", "from the log")
@frozen
class LogsTheSecret(Ticker):
    def begin(self, request: BeginRequest) -> Enrolment:
        made = Ticker.begin(self, request)
        logging.getLogger("kinds").debug("secret %s", made.public["secret"])
        return made


@breaks_memory("test_an_offer_reads_nothing", "the store cannot be read")
@frozen
class OffersByTheStore(Ticker):
    def offer(self, request: CreateRequest) -> Challenge:
        return Challenge(public={"ahead": str(self.ahead + 0 * len(request.credentials))})


@breaks_memory("test_an_offer_reads_nothing", "an offer sends a message")
@frozen
class OffersByMail(Ticker):
    def offer(self, request: CreateRequest) -> Challenge:
        return Challenge(messages=(Email(to="ann@example.com", subject="s", text="x"),))


@breaks_memory("test_an_offer_reads_nothing", "a stranger gets other public parameters")
@frozen
class OffersToUsersAlone(Ticker):
    def offer(self, request: CreateRequest) -> Challenge:
        return Challenge(public={"ahead": "3"} if request.user.known else {})


@breaks_memory("test_an_offer_reads_nothing", "the right answer to an offer is refused")
@frozen
class RefusesOffers(Ticker):
    def create(self, request: CreateRequest) -> Challenge:
        return Challenge(private={"by": "create"})

    def verify(self, request: VerifyRequest) -> Verdict:
        return Ticker.verify(self, request) if request.private else Verdict(right=False)


@pytest.mark.parametrize(("rule", "says", "contract"), BROKEN, ids=lambda one: getattr(one, "__name__", None))
def test_the_contract_catches(rule: str, says: str, contract: Any, request: pytest.FixtureRequest) -> None:
    """The rule that a broken kind breaks fails for it, and says so in words."""
    check = getattr(contract(), rule)
    fixtures = {name: request.getfixturevalue(name) for name in inspect.signature(check).parameters}
    with pytest.raises((AssertionError, pytest.fail.Exception)) as failure:
        check(**fixtures)
    assert says in str(failure.value)


def test_importing_something_heavy_is_caught(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that imports Pillow at the top fails the import rule, and so does one that cannot be imported at all."""
    monkeypatch.syspath_prepend(tmp_path)
    source = "import watchword.testing\nclass Heavy:\n    kind = 'heavy'\n    proves = frozenset()\n"
    source += "    requires_create = ('PIL',)\n    requires_verify = ()\n    extra = 'heavy[pil]'\n"
    (tmp_path / "heavy_kind.py").write_text("import PIL\n" + source)
    (tmp_path / "light_kind.py").write_text(source)
    import heavy_kind  # type: ignore[import-not-found]
    import light_kind  # type: ignore[import-not-found]

    def check(kind: Any) -> None:
        type("Contract", (KindContract,), {"kind": kind})().test_import_loads_nothing_heavy()

    check(light_kind.Heavy())
    with pytest.raises(AssertionError, match="loads PIL"):
        check(heavy_kind.Heavy())
    (tmp_path / "light_kind.py").write_text("import no_such_module")
    with pytest.raises(AssertionError, match="cannot be imported"):
        check(light_kind.Heavy())


def test_enough_kinds_are_broken() -> None:
    """Every rule of the contract has a broken kind that shows its teeth."""
    rules = {name for name in dir(KindContract) if name.startswith("test_")} - {"test_import_loads_nothing_heavy"}
    # Those of links are broken in a file of their own.
    assert {rule for rule, _, _ in BROKEN} == rules - {name for name in vars(LinkRules) if name.startswith("test_")}
    assert len(BROKEN) >= 40
    assert ANN.known
    assert not NOBODY.known
