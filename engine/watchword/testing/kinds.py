"""The contract of a kind of challenge, as a test class that each kind inherits."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from types import MappingProxyType

import pytest
from attrs import evolve

from watchword.algebra.blocks import ask_first
from watchword.algebra.flow import Flow
from watchword.contract.kinds import Email
from watchword.contract.members import given_settings
from watchword.contract.ports import LEASE
from watchword.contract.powers import is_kind, powers_of, why_no_kind
from watchword.contract.typed_codes import read_token_answer, write_token_answer
from watchword.errors import ConfigurationError
from watchword.runtime.creation import flaw_of
from watchword.runtime.wire import reference
from watchword.testing.hostile import HOSTILE_TEXTS, hostile_answers
from watchword.testing.kind_enrolment import EnrolmentRules
from watchword.testing.kind_facts import (
    HEAVY,
    NOTHING,
    ODD_TEXTS,
    SolvedChallenge,
    assert_word,
    built_anew,
    hidden_users,
    modules_required_by,
    recipient_attributes,
    sends,
    subject_of,
    told_of,
)
from watchword.testing.kind_links import LinkRules
from watchword.testing.leaks import reveals
from watchword.testing.requests import NOBODY, NOW, access_token, create_request, verify_request

_DAY = 86_400

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


class KindContract(EnrolmentRules, LinkRules):
    """What every kind of challenge must do. Inherit it, and say which kind and what is right.

    ```python
    class TestRiddle(KindContract):
        kind = Riddle(question="What has keys and opens no lock?", answer="a piano")
        right = "a piano"
    ```

    ``right`` may be a method ``right(self, request, challenge) -> str`` as well, or be left out by a kind whose answer
    is the code that it asked the request for. ``user`` is somebody to whom messages can be sent; ``refused`` lists
    settings that must be refused, each as a mapping, beyond those of the wrong type or size.

    For a kind that remembers, ``completes`` is the answer that completes an enrolment, or a method ``completes(self, request,
    enrolment) -> str``; `enrolment` is what the user was shown, and `credentials` what they have since. Both are there for
    ``right`` too. The user enrols an hour before they sign in. ``one_time = False`` says that an answer may be right again.
    """

    # What the kind says of itself

    def test_it_says_what_it_is(self) -> None:
        """The name, the factors and the optional facts are such as the engine can use."""
        kind = self.kind
        assert is_kind(kind), "set `kind` to an instance with kind, proves, create and verify"
        assert not why_no_kind(type(kind)), why_no_kind(type(kind))
        assert type(kind).kind == kind.kind, "kind must stand in the class"
        try:
            Flow(ask_first(kind) if powers_of(kind).links else kind)
        except ConfigurationError as error:
            raise AssertionError(f"no flow can ask for it: {error}") from error
        powers = powers_of(kind)
        assert powers.cosmetic <= set(given_settings(kind)), "cosmetic names something that is no setting"
        if powers.sends:
            assert "possession" in kind.proves, "a kind that sends proves possession"
            assert powers.resend_after >= LEASE, f"resend_after must be {LEASE} or more: the lease of a claim"

    def test_it_is_a_value(self) -> None:
        """Two kinds with the same settings are equal and hash alike, and settings cannot be changed."""
        twin = built_anew(self.kind)
        assert twin == self.kind, "made again with the same settings it is another"
        assert hash(twin) == hash(self.kind)
        for name in given_settings(self.kind):
            with pytest.raises(AttributeError):
                setattr(twin, name, None)

    def test_guessing_is_not_easier_than_it_says(self) -> None:
        """The declared probability is one, is not below that of the codes, and is low enough for a code that is sent."""
        declared: object = powers_of(self.kind).guess_probability()
        assert isinstance(declared, float), "guess_probability() must return a float"
        assert 0 < declared <= 1, f"{declared} is no probability"
        made = [self._made(claim=f"claim-{number}") for number in range(32)]
        drawn = (code for one in made for code in one.issued if code.text == one.right and not code.sealed)
        for issued in drawn:
            true = float(len(set(issued.alphabet))) ** -len(issued.text)
            assert declared >= true * 0.999, f"it says {declared}, but one guess in {1 / true:.0f} is right"
        if made[0].issued and declared < 1e-4:
            assert len({one.right for one in made}) >= 31, f"it says {declared}, but codes repeat"
        if sends(self.kind):
            assert declared <= 2**-19.9, "a code that is sent needs 20 bits (NIST SP 800-63B-4 3.1.3)"

    def test_settings_are_refused(self) -> None:
        """A setting of the wrong type, a number out of bounds and every one in `refused` is a ConfigurationError that names it."""
        settings = given_settings(self.kind)
        cases = [{name: object()} for name in settings]
        numbers = [name for name, value in settings.items() if isinstance(value, int) and not isinstance(value, bool)]
        cases += [{name: bad} for name in numbers for bad in (-1, 10**9, "1", None, float("nan"))]
        for case in [*cases, *self.refused]:
            try:
                built = built_anew(self.kind, **case)
                powers_of(built).prepare()
            except ConfigurationError as error:
                told = str(error)
            except Exception as error:
                raise AssertionError(f"{case!r:.80} must be a ConfigurationError, not {error!r:.80}") from error
            else:
                raise AssertionError(f"{case!r:.80} was not refused")
            assert any(name in told for name in case), f"{told!r} does not name {', '.join(case)}"

    def test_import_loads_nothing_heavy(self) -> None:
        """Importing the module loads none of what only Create needs."""
        heavy = sorted({*HEAVY, *modules_required_by(self.kind)})
        module, path = type(self.kind).__module__, [*sys.path, ""]  # pytest names modules from its own folder
        program = (
            f"import sys; sys.path[:] = {path!r}; import {module}; "
            f"print(*(name for name in {heavy!r} if name in sys.modules))"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)  # noqa: S603
        assert done.returncode == 0, f"{module} cannot be imported by itself: {done.stderr[-300:]}"
        assert done.stdout.split() == [], f"importing {module} loads {done.stdout}"

    def test_only_create_needs_the_extra(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Building the kind and judging an answer work without what it requires for making a challenge alone."""
        made = self._made()
        for name in set(modules_required_by(self.kind)) - {*powers_of(self.kind).requires_verify}:
            monkeypatch.setitem(sys.modules, name, None)
        assert self._verdict(built_anew(self.kind), made, made.right).right

    # What it makes

    def test_it_makes_strings_within_bounds(self) -> None:
        """What it makes is what the engine takes: texts under names of their own, small enough to travel."""
        for user in (self.user, NOBODY):
            challenge = self._made(user=user).challenge
            flaw = flaw_of(challenge, powers_of(self.kind).channel)
            assert not flaw, f"the engine refuses the challenge: the kind {flaw}"
            for place in ("public", "private", "carry"):
                for name, value in getattr(challenge, place).items():
                    assert _NAME.fullmatch(name), f"{place}: no name: {name!r}"
                    assert value.isprintable() or place == "public", f"{place}[{name!r}] holds control characters"
                    value.encode("utf-8")
            assert_word(challenge.reason)

    def test_the_secret_is_nowhere_else(
        self, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """The right answer, plain, turned about or hashed without a key, stands in the body of a message and nowhere else."""
        caplog.set_level(logging.DEBUG)
        made = self._made()
        verdicts = [self._verdict(self.kind, made, answer) for answer in (made.right, made.right + "x", "hush-4711")]
        printed = capfd.readouterr()
        challenge = made.challenge
        places = {
            **{
                f"{place}[{name!r}]": value
                for place in ("public", "private", "carry")
                for name, value in getattr(challenge, place).items()
            },
            **{
                f"messages[{n}].{part}": text
                for n, message in enumerate(challenge.messages)
                for part, text in (("to", message.to), ("subject", subject_of(message)))
            },
            "ref, which the client is shown": reference("claim-1"),
            "repr of the kind": repr(self.kind) + str(self.kind),
            "repr of the challenge": repr(challenge),
            "repr of the verdict": repr(verdicts),
            "the log": caplog.text,
            "what is printed": printed.out + printed.err,
        }
        for secret in {made.right, *(issued.text for issued in made.issued)}:
            for place, text in places.items():
                assert not reveals(text, secret), f"the right answer can be read from {place}"
        for place, text in places.items():
            assert "hush-4711" not in text, f"an answer is repeated in {place}"

    def test_messages_go_to_the_user_alone(self) -> None:
        """A kind that sends makes one message, to the user's own address, with a subject of one line; others make none."""
        messages = self._made().challenge.messages
        if not sends(self.kind):
            assert messages == (), "messages need a channel: they are not counted or claimed without one"
            return
        assert len(messages) == 1, f"{len(messages)} messages"
        assert messages[0].channel == self.kind.channel, "the message goes by another channel than the kind"
        assert messages[0].to in self.user.attributes.values(), "the message goes to somebody else"
        assert any(messages[0].texts()), "a message needs a text"
        if isinstance(messages[0], Email):
            assert 0 < len(messages[0].subject) <= 200 and messages[0].subject.isprintable(), "subject: one line"  # noqa: PT018
            assert messages[0].text, "a message needs a plain text"

    def test_requests_are_left_alone(self) -> None:
        """A kind writes nothing into the mappings that a request holds."""
        user = evolve(self.user, attributes=MappingProxyType(dict(self.user.attributes)))
        request = evolve(self._create_request(user=user), carry=MappingProxyType({}))
        try:
            challenge = self.kind.create(request)
            private = MappingProxyType(dict(challenge.private))
            verify = verify_request(self.kind, challenge, "x", user=user, credentials=self._owned_by(user))
            self.kind.verify(evolve(verify, private=private))
        except (TypeError, AttributeError) as error:
            raise AssertionError(f"the request is read-only, but: {error}") from error

    def test_the_same_claim_gives_the_same_code(self) -> None:
        """A kind that sends makes the same challenge from the same claim; every kind makes new codes from a new one."""
        first, same, other = self._made(), self._made(), self._made(claim="claim-2")
        if sends(self.kind):
            assert same == first, "a host's retry would show or send something else"
        if first.issued:
            assert other.right != first.right, "two challenges have the same right answer"

    def test_trying_again_sends_nothing(self) -> None:
        """After a wrong answer a kind that sends asks for the same code, shows the same, and sends no message."""
        if not sends(self.kind):
            pytest.skip(f"{self.kind.kind} does not send")
        first = self._made()
        again = self._made(again=True, carry=first.challenge.carry)
        assert again.challenge.messages == (), "a wrong answer brings a message"
        assert again.challenge.public == first.challenge.public, "the retry shows something else"
        assert self._verdict(self.kind, again, first.right).right, "the code that was sent is refused on the retry"

    def test_nobody_looks_like_somebody(self) -> None:
        """A user who does not exist, or cannot receive, is shown what a user of that name is shown, and is sent nothing."""
        for user in hidden_users(self.kind, self.user):
            who = told_of(user)
            assert self._made(user=user).challenge.messages == (), f"{who}: a message"
            # What is shown may depend on the name: it was typed, whether anybody has it or not.
            self._assert_alike(who, {"user": user}, {"user": evolve(self.user, name=user.name)})
        if sends(self.kind):
            twin = evolve(self.user, name=NOBODY.name)
            for name in self._made(user=NOBODY).challenge.public:
                real, made_up = (len(self._drawn("public", name, user=user)) > 1 for user in (twin, NOBODY))
                assert real or not made_up, f"what is made up for a stranger must not change: {name}"
                assert made_up or not real, f"what changes for a user must change for a stranger: {name}"

    def test_nothing_lets_nobody_in(self) -> None:
        """A user of whom there is no right answer is let in by none: an empty one, one that is shown, or a code that was not sent."""
        for user in hidden_users(self.kind, self.user):
            made = self._made(user=user)
            shown = {*made.challenge.public.values(), *made.challenge.private.values(), *made.challenge.carry.values()}
            unsent = {issued.text for issued in made.issued} if sends(self.kind) else set[str]()
            for answer in (*NOTHING, *sorted(shown | unsent)):
                verdict = self._verdict(self.kind, made, answer, user=user)
                assert verdict.right is False, f"{told_of(user)}: {answer!r:.80} passes"

    def test_an_empty_answer_is_right_with_no_setting(self) -> None:
        """Whatever text a setting holds, it is refused, or an empty answer is wrong all the same."""
        for name, value in given_settings(self.kind).items():
            texts = [*ODD_TEXTS] if isinstance(value, str) else []
            lists = [(text,) for text in ODD_TEXTS] if isinstance(value, tuple) else []
            for odd in (*texts, *lists):
                try:
                    built = built_anew(self.kind, **{name: odd})
                    powers_of(built).prepare()
                    challenge = built.create(create_request(built, user=self.user))
                except Exception:  # noqa: BLE001, S112 - refused, or it ends closed: nobody is let in
                    continue
                # What the setting says to the letter may be the right answer, if it says anything.
                for answer in (each for each in NOTHING if each != odd or not each):
                    right = self._verdict(built, SolvedChallenge(challenge, "", ()), answer).right
                    assert right is False, f"with {name}={odd!r} the answer {answer!r} passes: refuse such a setting"

    def test_hostile_attributes_do_no_harm(self) -> None:
        """Whatever stands in the name and the attributes, nothing is raised, and no message holds it as a line or as HTML."""
        addresses = recipient_attributes(self.kind, self.user)
        names = [
            name
            for name in self.user.attributes
            if name not in addresses and not name.startswith(("email", "phone"))  # nor whether they are verified
        ]
        for bad in HOSTILE_TEXTS:
            attributes = {
                **self.user.attributes,
                **dict.fromkeys([*names, "given_name", "name", "locale", "zoneinfo"], bad),
            }
            for message in self._made(user=evolve(self.user, name=bad, attributes=attributes)).challenge.messages:
                assert subject_of(message).isprintable(), f"subject: more than one line with {bad!r:.40}"
                assert not isinstance(message, Email) or "<img src=x" not in message.html, (
                    "an attribute is put into HTML unescaped"
                )
                assert "\u202e" not in "".join(message.texts()), "an attribute turns the text round"

    # What it judges

    def test_the_right_answer_passes(self) -> None:
        """The right answer passes."""
        made = self._made()
        verdict = self._verdict(self.kind, made, made.right)
        assert verdict.right is True, "the right answer is refused"
        assert_word(verdict.reason)

    def test_hostile_answers_never_pass(self) -> None:
        """No wrong answer passes, and none raises, whatever its type, length or script."""
        made = self._made()
        for answer in hostile_answers(made.right):
            verdict = self._verdict(self.kind, made, answer)
            assert verdict.right is False, f"{answer!r:.80} passes"
            assert_word(verdict.reason)

    def test_an_answer_that_wants_a_token_is_worth_nothing_without(self) -> None:
        """For a kind with `with_token`: no answer is right with another token than one of the user, or with none."""
        if not powers_of(self.kind).with_token:
            pytest.skip(f"{self.kind.kind} wants no access token")
        made = self._made()
        token, answer = read_token_answer(made.right)
        for other in ("", " ", token[:-1], f"{token}x", access_token(NOBODY.id)):
            verdict = self._verdict(self.kind, made, write_token_answer(other, answer))
            assert verdict.right is False, "an answer without a good access token passes"
        assert not self._verdict(self.kind, made, answer).right, "an answer without an access token passes"

    def test_a_missing_expected_value_never_matches(self) -> None:
        """Where private parameters are missing, empty or nonsense, no answer passes."""
        made = self._made()
        names = list(made.challenge.private)
        if not names:
            pytest.skip(f"{self.kind.kind} has no private parameters")
        nonsense = [
            {},
            *(dict.fromkeys(names, bad) for bad in ("", "0", "None", "é", made.right, "\ud800", "x" * 10_000)),
        ]
        for private in nonsense:
            for answer in (made.right, "", "0", "None", "undefined", None):
                verdict = self._verdict(
                    self.kind, evolve(made, challenge=evolve(made.challenge, private=private)), answer
                )
                assert verdict.right is False, f"{answer!r:.20} passes where private is {private!r:.80}"

    def test_an_answer_is_good_for_one_challenge_alone(self) -> None:
        """The private parameters of another challenge, or of another user, are worth nothing."""
        made = self._made()
        if not made.challenge.private:
            pytest.skip(f"{self.kind.kind} has no private parameters")
        assert not self._verdict(self.kind, made, made.right, claim="claim-2").right, "good for another challenge"
        eve = evolve(self.user, key="e" * 64)
        assert not self._verdict(self.kind, made, made.right, user=eve).right, "good for another user"

    def test_clocks_may_be_wrong(self) -> None:
        """A clock that is wrong by seconds changes no verdict, and one that is wrong by years raises nothing."""
        made = self._made()
        for seconds in (-5, 5):
            assert self._verdict(self.kind, made, made.right, now=NOW + seconds).right, f"refused {seconds} s off"
        for now in (0.0, -1.0, NOW - _DAY, NOW + _DAY, 1e12):
            self._verdict(self.kind, made, made.right, now=now)
            assert self._verdict(self.kind, made, "x", now=now).right is False
            self._created(self._create_request(now=now))
