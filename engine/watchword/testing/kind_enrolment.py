"""What a kind must do that remembers: for enrolments, with credentials, and for who has none."""

from __future__ import annotations

import logging
from base64 import b32encode, b64encode, urlsafe_b64encode
from collections.abc import Iterator

import pytest
from attrs import evolve

from watchword.contract.credentials import Credential, NewCredential, is_usable
from watchword.contract.kinds import Challenge, KindRequest, Verdict
from watchword.contract.powers import powers_of
from watchword.errors import UnavailableError
from watchword.runtime.creation import flaw_of
from watchword.testing.code_tap import recorded_codes
from watchword.testing.hostile import HOSTILE_TEXTS, hostile_answers
from watchword.testing.kind_calls import ENROLLED_AT, KindCalls
from watchword.testing.kind_facts import SolvedChallenge, assert_word, hidden_users, told_of
from watchword.testing.leaks import reveals
from watchword.testing.requests import NOBODY, complete_request, verify_request

_SHORTEST_MADE_UP = 16
"""Characters from which on a value may differ from user to user: a number or a word that does tells them apart."""


class EnrolmentRules(KindCalls):
    """What every kind must do that has the powers `Remembers`, `Enrols` and `Offers`: `KindContract` inherits it."""

    # Enrolments

    def test_an_enrolment_makes_a_credential(self) -> None:
        """What `begin` shows and keeps is small enough to travel, and the right answer gives what every store can keep."""
        self._demand_enrolment()
        shown = Challenge(self.enrolment.public, self.enrolment.private, self.enrolment.carry)
        flaw = flaw_of(shown, "")
        assert not flaw, f"the engine refuses the enrolment: the kind {flaw}"
        (credential,) = self.credentials
        assert is_usable(credential), "the credential has no id, or one that is too long, or half a character"

    def test_an_enrolment_can_be_repeated(self) -> None:
        """Begun or completed again with the same request it gives the same; and after a wrong answer it can be completed still."""
        self._demand_enrolment()
        assert self._begun() == self.enrolment, "begin gives something else for the same request"
        answer = self._completing(self.enrolment)
        first, again = (self._completed(self.enrolment, answer) for _ in range(2))
        assert first == again, "complete gives something else for the same request"
        how = {"claim": "claim-2", "again": True, "carry": self.enrolment.carry}
        retry = self._begun(**how)
        said = self._completed(retry, self._completing(retry, **how), claim="claim-2")
        assert isinstance(said, NewCredential), "after a wrong answer the right one enrols nothing"

    def test_a_user_of_any_name_can_enrol(self) -> None:
        """Whatever stands in the name and the attributes, the enrolment can be begun and completed."""
        self._demand_enrolment()
        for bad in HOSTILE_TEXTS:
            attributes = dict.fromkeys([*self.user.attributes, "given_name", "name", "preferred_username"], bad)
            user = evolve(self.user, name=bad, attributes=attributes)
            begun = self._begun(user=user)
            flaw = flaw_of(Challenge(begun.public, begun.private, begun.carry), "")
            assert not flaw, f"with {bad!r:.40} the engine refuses the enrolment: the kind {flaw}"
            said = self._completed(begun, self._completing(begun, user=user), user=user)
            assert isinstance(said, NewCredential), f"with {bad!r:.40} the right answer enrols nothing"

    def test_a_wrong_answer_enrols_nothing(self) -> None:
        """No wrong answer gives a credential, and none raises, whatever its type, length or script."""
        self._demand_enrolment()
        for answer in hostile_answers(self._completing(self.enrolment)):
            said = self._completed(self.enrolment, answer)
            assert isinstance(said, Verdict), f"{answer!r:.80} enrols"
            assert_word(said.reason)

    def test_what_begin_kept_is_needed(self) -> None:
        """Where what `begin` kept for `complete` is missing, empty or nonsense, no answer gives a credential."""
        self._demand_enrolment()
        right, names = self._completing(self.enrolment), list(self.enrolment.private)
        nonsense = [{}, *(dict.fromkeys(names, bad) for bad in ("", "0", "None", "é", right, "\ud800", "x" * 10_000))]
        for private in nonsense if names else ():
            for answer in (right, "", "0", "None", "undefined", None):
                request = complete_request(self.kind, private, answer, user=self.user, now=ENROLLED_AT)
                try:
                    said: object = self.kind.complete(request)
                except UnavailableError:  # no root key of that id
                    continue
                except Exception as error:
                    name = type(error).__name__
                    raise AssertionError(f"complete raised {name} where private is {private!r:.80}") from error
                wrong = isinstance(said, Verdict) and said.right is False
                assert wrong, f"{answer!r:.20} enrols where private is {private!r:.80}"

    # Who has nothing

    def test_without_a_credential_nothing_is_right(self) -> None:
        """The right answer of somebody who has enrolled is wrong for whoever has not, and for whoever does not exist."""
        self._demand_memory()
        made = self._made()
        for user in (self.user, *hidden_users(self.kind, self.user)[:2]):
            verdict = self._verdict(self.kind, made, made.right, user=user, credentials=())
            assert verdict.right is False, f"{told_of(user)}: right without a credential"
            assert verdict.use is None, f"{told_of(user)}: a credential is used that nobody has"

    def test_who_has_enrolled_is_not_shown(self) -> None:
        """Before a factor is proven, who has enrolled, who has not and who does not exist are asked alike."""
        self._demand_memory()
        self._assert_alike("who has not enrolled", {"credentials": ()}, {})
        self._assert_alike("unknown", {"user": NOBODY, "credentials": ()}, {"credentials": ()})
        has, has_not = (self._created(self._create_request(**how)).public for how in ({}, {"credentials": ()}))
        for name, value in has.items():
            # Something made up in place of what is enrolled, such as an id, is long.
            same = value == has_not[name] or min(len(value), len(has_not[name])) >= _SHORTEST_MADE_UP
            assert same, f"public[{name!r}] is {value!r} for who has enrolled, and {has_not[name]!r} for who has not"

    def test_a_store_that_fails_lets_nobody_in(self) -> None:
        """If the store cannot be read, UnavailableError passes through the kind, or the answer is wrong."""
        self._demand_memory()
        made = self._made()
        request = verify_request(self.kind, made.challenge, made.right, user=self.user)
        try:
            verdict = self.kind.verify(evolve(request, methods=evolve(request.methods, credentials=_store_down)))
        except UnavailableError:
            return
        except Exception as error:
            raise AssertionError(f"verify turns the store's error into {type(error).__name__}: let it pass") from error
        assert verdict.right is False, "right although the store cannot be read"

    # Who has something

    def test_no_state_raises_anything(self) -> None:
        """A state that cannot be read stops no challenge, since another way may be left to this user, and lets nothing raise."""
        self._demand_memory()
        made = self._made()
        for nonsense in ("", "0", "None", "é", "x" * 64, None):
            states = [{} if nonsense is None else dict.fromkeys(each.state, nonsense) for each in self.credentials]
            owned = [evolve(each, state=state) for each, state in zip(self.credentials, states, strict=True)]
            verify = verify_request(self.kind, made.challenge, made.right, user=self.user, credentials=owned)
            create, proven = (self._create_request(credentials=owned, proven=proven) for proven in (False, True))
            kind = self.kind
            calls = [("create", kind.create, create), ("create", kind.create, proven), ("verify", kind.verify, verify)]
            for method, call, request in calls:
                try:
                    call(request)
                except UnavailableError:  # no root key of that id
                    continue
                except Exception as error:
                    name = type(error).__name__
                    raise AssertionError(f"{method} raised {name} where the state is {states[0]!r:.80}") from error

    def test_a_right_answer_changes_the_state_alone(self) -> None:
        """``use`` is a credential that the request gave, with another state; a wrong answer has none."""
        self._demand_memory()
        made = self._made()
        use = self._verdict(self.kind, made, made.right).use
        for answer in ("", "x", made.right + "x"):
            assert self._verdict(self.kind, made, answer).use is None, "a wrong answer writes something"
        if use is None:
            return
        assert type(use) is Credential, f"use must be a Credential, not {type(use).__name__}"
        assert any(evolve(use, state=each.state) == each for each in self.credentials), (
            "use is none of the credentials that the request gave: change the state alone, by evolve"
        )
        assert is_usable(use), "the new state cannot be stored"

    def test_each_of_several_is_judged(self) -> None:
        """Where users may have several credentials, the right answer is right whichever of them it belongs to."""
        self._demand_memory()
        if powers_of(self.kind).remembers != "many":
            pytest.skip(f"{self.kind.kind} has one credential of a user")
        made = self._made()
        other = evolve(self.credentials[0], id="f" * 32)
        for owned in ((other, *self.credentials), (*self.credentials, other)):
            verdict = self._verdict(self.kind, made, made.right, credentials=owned)
            assert verdict.right, "the right answer is refused if the user has another credential beside"

    def test_judging_changes_nothing(self) -> None:
        """The same request gets the same verdict: the engine writes, and asks again where it has lost a race."""
        self._demand_memory()
        made, before = self._made(), [dict(each.state) for each in self.credentials]
        first, again = (self._verdict(self.kind, made, made.right) for _ in range(2))
        assert first == again, "the same request gets another verdict"
        assert [dict(each.state) for each in self.credentials] == before

    def test_a_used_answer_is_refused(self) -> None:
        """Once ``use`` is written, the same answer is wrong; and in another sign-in it is, even if nothing is written.

        Set ``one_time = False`` for a kind that may take an answer again.
        """
        self._demand_memory()
        if not self.one_time:
            return
        made = self._made()
        use = self._verdict(self.kind, made, made.right).use
        written = tuple(use if use and each.id == use.id else each for each in self.credentials)
        replayed = use is not None and self._verdict(self.kind, made, made.right, credentials=written).right
        assert not replayed, "the same answer is right again, although its use was written"
        other = self._created(self._create_request(claim="claim-2", credentials=written))
        solved = SolvedChallenge(other, made.right, ())
        again = self._verdict(self.kind, solved, made.right, claim="claim-2", credentials=written)
        assert not again.right, "the same answer is right in another sign-in: return `use`, or set one_time = False"

    def test_nothing_secret_is_kept(self, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
        """No derived secret and no right answer is in a state, in what travels, in a log or in what is printed; no code that was drawn is in a state."""
        self._demand_memory()
        caplog.set_level(logging.DEBUG)
        made = self._made()
        verdict = self._verdict(self.kind, made, made.right)
        kept = [each for each in (*self.credentials, verdict.use) if each is not None]
        places = {f"state[{name!r}]": text for each in kept for name, text in each.state.items()}
        places |= {"the label": " ".join(each.label for each in kept), "repr of the credential": repr(kept)}
        shown = {
            f"{place} of the challenge": getattr(made.challenge, place) for place in ("public", "private", "carry")
        }
        secrets = {*self._derived(made.challenge, made.right)}
        if powers_of(self.kind).enrols:
            secrets.add(self._completing(self.enrolment))
            shown |= {
                "private of the enrolment": self.enrolment.private,
                "carry of the enrolment": self.enrolment.carry,
            }
            places["repr of the enrolment"] = repr(self.enrolment)
        places |= {f"{place}[{name!r}]": text for place, texts in shown.items() for name, text in texts.items()}
        printed = capfd.readouterr()
        places |= {"the log": caplog.text, "what is printed": printed.out + printed.err}
        for secret in secrets | {made.right}:
            for place, text in places.items():
                assert not reveals(text, secret), f"a secret can be read from {place}"
        for drawn in self._drawn_codes():  # a challenge to be signed is drawn too, and travels
            for name, text in ((name, text) for each in kept for name, text in each.state.items()):
                assert not reveals(text, drawn), f"a secret that begin drew can be read from state[{name!r}]: derive it"

    # Offers

    def test_an_offer_reads_nothing(self) -> None:
        """An offer needs no store and sends nothing, is the same for everybody, and its right answer is right."""
        offer = powers_of(self.kind).offer
        if offer is None:
            pytest.skip(f"{self.kind.kind} is not offered in a choice")
        request = self._create_request()
        closed = evolve(request.methods, credentials=_store_down)
        with recorded_codes() as drawn:
            offered = self._created(evolve(request, methods=closed), offer)
        assert offered.messages == (), "an offer sends a message"
        stranger = self._created(evolve(request, user=NOBODY, methods=closed), offer)
        for place in ("public", "private", "carry"):
            assert set(getattr(offered, place)) == set(getattr(stranger, place)), (
                f"a stranger gets other {place} parameters"
            )
        # What it sends was sent before: the ticket of that is right here.
        right = request.ticket() if powers_of(self.kind).links else self._right(request, offered, drawn)
        solved = SolvedChallenge(offered, right, tuple(drawn))
        assert self._verdict(self.kind, solved, solved.right).right, "the right answer to an offer is refused"

    # What the rules need

    def _demand_memory(self) -> None:
        if not self.remembers:
            pytest.skip(f"{self.kind.kind} remembers nothing")
        assert self.credentials, "say what is enrolled: give the kind begin and complete, or set `credentials`"

    def _demand_enrolment(self) -> None:
        if not powers_of(self.kind).enrols:
            pytest.skip(f"nobody enrols for {self.kind.kind}")

    def _drawn_codes(self) -> tuple[str, ...]:
        """Return the codes for which `begin` asks the request."""
        with recorded_codes() as drawn:
            if powers_of(self.kind).enrols:
                self._begun()
        return tuple(code.text for code in drawn)

    def _derived(self, challenge: Challenge, right: str) -> Iterator[str]:
        """Return, in the usual spellings, each secret that the kind derives while it enrols and judges."""
        found: list[bytes] = []
        verify = verify_request(self.kind, challenge, right, user=self.user, credentials=self.credentials)
        self.kind.verify(_tapped(verify, found))
        if powers_of(self.kind).enrols:
            request = self._begin_request()
            self._begun_by(evolve(request, methods=_tapped(request, found).methods))
        for secret in {part for each in found for part in (each, each[:20], each[:16])}:
            yield from (secret.hex(), *(way(secret).decode().rstrip("=") for way in (b32encode, b64encode)))
            yield urlsafe_b64encode(secret).decode().rstrip("=")


def _tapped(request: KindRequest, found: list[bytes]) -> KindRequest:
    """Return *request*, which adds to *found* each secret that a kind derives by it."""
    real = request.methods.derive

    def derive(id_: str, root: str) -> bytes:
        found.append(real(id_, root))
        return found[-1]

    return evolve(request, methods=evolve(request.methods, derive=derive))


def _store_down() -> tuple[Credential, ...]:
    raise UnavailableError("the store cannot be read", reason="unreachable")
