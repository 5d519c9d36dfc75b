"""How the contract of kinds asks a kind: for challenges, verdicts and enrolments, with what the user has enrolled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, cast

from watchword.contract.credentials import Credential, Enrolment, NewCredential
from watchword.contract.enrolments import BeginRequest
from watchword.contract.kinds import Challenge, CreateRequest, User, Verdict
from watchword.contract.powers import powers_of
from watchword.contract.typed_codes import write_token_answer
from watchword.testing.code_tap import DrawnCode, recorded_codes
from watchword.testing.kind_facts import DRAWS, SolvedChallenge, shape_of
from watchword.testing.requests import (
    ANN,
    NOW,
    access_token,
    begin_request,
    complete_request,
    create_request,
    enrolled_credential,
    verify_request,
)

ENROLLED_AT = NOW - 3600
"""When the user of a contract has enrolled."""


class KindCalls:
    """What a test of a kind says of it, and how the rules call it; see `KindContract`."""

    kind: Any = None
    right: Any = None
    completes: Any = None
    user: User = ANN
    refused: ClassVar[Sequence[Mapping[str, Any]]] = ()
    one_time: ClassVar[bool] = True

    @property
    def remembers(self) -> bool:
        """Whether the kind has credentials."""
        return bool(powers_of(self.kind).remembers)

    @cached_property
    def enrolment(self) -> Enrolment:
        """What `user` was shown when they enrolled, an hour before they sign in."""
        return self._begun()

    @cached_property
    def credentials(self) -> tuple[Credential, ...]:
        """What `user` has enrolled. Set it for a kind that remembers and takes no enrolment."""
        if not powers_of(self.kind).enrols:
            return ()
        new = self._completed(self.enrolment, self._completing(self.enrolment))
        assert isinstance(new, NewCredential), "the answer that `completes` gives enrols nothing"
        return (enrolled_credential(self.kind, new, user=self.user, now=ENROLLED_AT),)

    def _owned_by(self, user: User) -> tuple[Credential, ...]:
        """Return what *user* has enrolled: of the users of a contract, whoever has no attributes has nothing."""
        return self.credentials if user.key == self.user.key and user.attributes and self.remembers else ()

    # Challenges

    def _made(self, **how: Any) -> SolvedChallenge:
        """Make a challenge; *how* goes to `create_request`."""
        request = self._create_request(**how)
        with recorded_codes() as issued:
            challenge = self._created(request)
        return SolvedChallenge(challenge, self._right(request, challenge, issued), tuple(issued))

    def _create_request(self, **how: Any) -> CreateRequest:
        user = how.get("user", self.user)
        given: dict[str, Any] = {"user": user, "credentials": self._owned_by(user), **how}
        return create_request(self.kind, **given)

    def _created(self, request: CreateRequest, asked: Callable[[CreateRequest], Any] | None = None) -> Challenge:
        """Have the kind make a challenge, by `create` unless *asked* says otherwise."""
        asked = asked or cast("Callable[[CreateRequest], Any]", self.kind.create)
        try:
            challenge: Any = asked(request)
        except Exception as error:
            raise AssertionError(f"create raised {error!r:.200}") from error
        assert type(challenge) is Challenge, f"create must return a Challenge, not {type(challenge).__name__}"
        return challenge

    def _right(self, request: CreateRequest, challenge: Challenge, issued: Sequence[DrawnCode]) -> str:
        """Return the right answer; nothing for users of whom there is none."""
        if request.user.key != self.user.key or not request.user.attributes:
            return ""
        if self.remembers and not request.credentials:
            return ""
        if callable(self.right):
            return str(self.right(request, challenge))
        assert issued or self.right, "say what the right answer is: set `right`, or write a method of that name"
        if self.right or not powers_of(self.kind).with_token:
            return str(self.right or issued[-1].text)
        return write_token_answer(access_token(request.user.id), issued[-1].text)

    def _drawn(self, place: str, name: str, **how: Any) -> list[str]:
        """Return what is shown under *name* in one challenge after the other, each text once; *how* as in `_made`."""
        made = (self._created(self._create_request(claim=f"draw-{number}", **how)) for number in range(DRAWS))
        return list(dict.fromkeys(str(getattr(challenge, place)[name]) for challenge in made))

    def _assert_alike(self, who: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> None:
        """Assert that a challenge for *one* looks like one for *other*: the same names, and values of the same shape.

        Both are as *how* of `_made`. A value that looks different this time may be drawn anew each time, and look so for both.
        """
        challenges = [self._created(self._create_request(**how)) for how in (one, other)]
        for place in ("public", "private", "carry"):
            shown, expected = (getattr(challenge, place) for challenge in challenges)
            assert set(shown) == set(expected), f"{who}: other {place} parameters"
            for name in shown:
                same = shape_of(shown[name]) == shape_of(expected[name]) or self._drawn_alike(place, name, one, other)
                assert same, f"{who}: {place}[{name!r}] looks different"

    def _drawn_alike(self, place: str, name: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
        ones, others = ({*map(shape_of, self._drawn(place, name, **how))} for how in (one, other))
        never_twice = len(ones) == len(others) == DRAWS
        return min(len(ones), len(others)) > 1 and (never_twice or not ones.isdisjoint(others))

    # Verdicts

    def _verdict(self, kind: Any, made: SolvedChallenge, answer: Any, **how: Any) -> Verdict:
        """Have *answer* judged; *how* goes to `verify_request`."""
        user = how.get("user", self.user)
        given: dict[str, Any] = {"user": user, "credentials": self._owned_by(user), **how}
        request = verify_request(kind, made.challenge, answer, **given)
        try:
            verdict = kind.verify(request)
        except Exception as error:
            raise AssertionError(f"verify raised {type(error).__name__} for {answer!r:.80}") from error
        assert type(verdict) is Verdict, f"verify must return a Verdict, not {type(verdict).__name__}"
        assert type(verdict.right) is bool, "right must be True or False"
        return verdict

    # Enrolments

    def _begun(self, **how: Any) -> Enrolment:
        """Begin an enrolment; *how* goes to `begin_request`."""
        return self._begun_by(self._begin_request(**how))

    def _begin_request(self, **how: Any) -> BeginRequest:
        given: dict[str, Any] = {"user": self.user, "now": ENROLLED_AT, **how}
        return begin_request(self.kind, **given)

    def _begun_by(self, request: BeginRequest) -> Enrolment:
        try:
            begun = self.kind.begin(request)
        except Exception as error:
            raise AssertionError(f"begin raised {error!r:.200}") from error
        assert type(begun) is Enrolment, f"begin must return an Enrolment, not {type(begun).__name__}"
        return begun

    def _completing(self, enrolment: Enrolment, **how: Any) -> str:
        """Return the answer that completes *enrolment*; *how* as in `_begun`."""
        request = self._begin_request(**how)
        if callable(self.completes):
            return str(self.completes(request, enrolment))
        if self.completes:
            return str(self.completes)
        with recorded_codes() as issued:
            self._begun_by(request)
        assert issued, "say which answer completes an enrolment: set `completes`, or write a method of that name"
        return issued[-1].text

    def _completed(self, enrolment: Enrolment, answer: Any, **how: Any) -> NewCredential | Verdict:
        """Have *answer* to *enrolment* judged; *how* goes to `complete_request`."""
        given: dict[str, Any] = {"user": self.user, "now": ENROLLED_AT, **how}
        request = complete_request(self.kind, enrolment, answer, **given)
        try:
            said: Any = self.kind.complete(request)
        except Exception as error:
            raise AssertionError(f"complete raised {type(error).__name__} for {answer!r:.80}") from error
        assert type(said) in {NewCredential, Verdict}, (
            f"complete must return a NewCredential or a wrong Verdict, not {type(said).__name__}"
        )
        assert type(said) is NewCredential or said.right is False, (
            "complete returns a right Verdict, and enrols nothing"
        )
        return cast("NewCredential | Verdict", said)
