"""Recovery codes: what is shown, each once, and that nothing of them is stored."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from watchword import Flow, User, Verdict, load_flow
from watchword.contract import Credential, NewCredential, powers_of
from watchword.errors import ConfigurationError, UnavailableError
from watchword.testing import (
    ANN,
    NOBODY,
    begin_request,
    complete_request,
    create_request,
    enrolled_credential,
    hostile_answers,
    verify_request,
)
from watchword_plugins.recovery_codes import RecoveryCodes

SYMBOLS = set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")


def codes_of(kind: RecoveryCodes, **how: Any) -> list[str]:
    """Return the codes that somebody is shown."""
    return kind.begin(begin_request(kind, **how)).public["codes"].split()


def enrolled(kind: RecoveryCodes, used: str = "") -> Credential:
    """Return Ann's credential, of which the codes *used* are used."""
    begun = kind.begin(begin_request(kind))
    new = kind.complete(complete_request(kind, begun, codes_of(kind)[0]))
    assert isinstance(new, NewCredential)
    credential = enrolled_credential(kind, new)
    return evolve(credential, state={**credential.state, "used": used})


def judged(kind: RecoveryCodes, answer: Any, *credentials: Credential) -> Verdict:
    """Return what the kind says of *answer*, from somebody with *credentials*."""
    return kind.verify(verify_request(kind, {}, answer, credentials=credentials))


# What is shown


@pytest.mark.parametrize("count", [1, 10, 20])
def test_codes_have_eighty_bits(count: int) -> None:
    """Sixteen of 32 symbols, in groups of four; no two are alike."""
    codes = codes_of(RecoveryCodes(count=count))
    assert count == len(set(codes))
    for code in codes:
        assert [4, 4, 4, 4] == list(map(len, code.split("-")))
        assert set(code.replace("-", "")) <= SYMBOLS
    assert count / 2**80 == RecoveryCodes(count=count).guess_probability()


def test_every_symbol_is_equally_likely() -> None:
    """Over the codes of 200 credentials each symbol comes about as often as any other, in every place."""
    kind = RecoveryCodes(count=20)
    requests = [evolve(begin_request(kind), id=f"{number:032x}") for number in range(200)]
    codes = [code.replace("-", "") for each in requests for code in kind.begin(each).public["codes"].split()]
    assert 4000 == len(set(codes))
    for place in range(16):
        found = [code[place] for code in codes]
        assert all(60 < found.count(symbol) < 200 for symbol in SYMBOLS)


def test_they_are_the_same_for_the_whole_enrolment_and_for_no_other() -> None:
    """Who mistypes the first is shown the same again; another credential, or another user, has others."""
    kind = RecoveryCodes()
    codes = codes_of(kind)
    assert codes == codes_of(kind, again=True, claim="claim-2")
    assert not {*codes} & {*codes_of(kind, user=NOBODY)}
    again = kind.begin(evolve(begin_request(kind), id="f" * 32)).public["codes"].split()
    assert not {*codes} & {*again}


def test_nothing_of_them_is_kept() -> None:
    """What is kept names the root key, how many there are, and which were used."""
    kind = RecoveryCodes()
    request = begin_request(kind)
    begun = kind.begin(request)
    assert {"id": request.id, "root": request.root_key, "count": "10"} == dict(begun.private)
    assert {} == dict(begun.carry)
    assert {"root": request.root_key, "count": "10", "used": ""} == dict(enrolled(kind).state)


def test_any_code_completes_and_is_not_used_up() -> None:
    """It only shows that the codes were saved."""
    kind = RecoveryCodes()
    begun = kind.begin(begin_request(kind))
    for code in codes_of(kind):
        new = kind.complete(complete_request(kind, begun, code, label="paper"))
        assert isinstance(new, NewCredential)
        assert (begin_request(kind).id, "paper") == (new.id, new.label)
        assert judged(kind, code, enrolled_credential(kind, new)).right


def test_hostile_answers_enrol_nobody() -> None:
    """Each is a wrong answer; none raises."""
    kind = RecoveryCodes()
    begun = kind.begin(begin_request(kind))
    for answer in (*hostile_answers(codes_of(kind)[3]), begun.public["codes"]):
        verdict = kind.complete(complete_request(kind, begun, answer))
        assert isinstance(verdict, Verdict)
        assert not verdict.right


@pytest.mark.parametrize("count", ["", "0", "-1", "x", "999", None])
def test_a_private_parameter_that_cannot_be_read_enrols_nobody(count: str | None) -> None:
    """Nothing half-enrolled."""
    kind = RecoveryCodes()
    private = dict(kind.begin(begin_request(kind)).private) | ({"count": count} if count is not None else {})
    if count is None:
        del private["count"]
    verdict = kind.complete(complete_request(kind, private, codes_of(kind)[0]))
    assert Verdict(right=False, reason="wrong") == verdict


# What is right


@given(st.lists(st.integers(0, 9), max_size=30))
def test_each_code_is_right_once(uses: list[int]) -> None:
    """In whatever order they are used, and however often."""
    kind = RecoveryCodes()
    codes, credential = codes_of(kind), enrolled(kind)
    used: set[int] = set()
    for index in uses:
        verdict = judged(kind, codes[index], credential)
        assert (index not in used) is verdict.right
        assert ("code_used" if index in used else "") == verdict.reason
        used.add(index)
        credential = verdict.use or credential
        shown = kind.create(create_request(kind, credentials=(credential,), proven=True)).public
        assert {"codes_left": str(10 - len(used))} == dict(shown)


def test_every_code_used_leaves_none() -> None:
    """The state stays short, and the count comes to nothing."""
    kind = RecoveryCodes(count=20)
    credential = enrolled(kind)
    for code in codes_of(kind):
        use = judged(kind, code, credential).use
        assert use is not None
        credential = use
    assert "0" == kind.create(create_request(kind, credentials=(credential,), proven=True)).public["codes_left"]


@pytest.mark.parametrize("typed", ["lower", "spaces", "bare", "look-alikes"])
def test_what_people_type_is_read(typed: str) -> None:
    """Case, spaces and hyphens do not count, and O, I and L are read as the digits that they look like."""
    kind = RecoveryCodes(count=20)
    for index, code in enumerate(codes_of(kind)):
        answer = {
            "lower": code.lower(),
            "spaces": " " + code.replace("-", " ") + "\n",
            "bare": code.replace("-", ""),
            "look-alikes": code.replace("0", "o").replace("1", "lI"[index % 2]),
        }[typed]
        assert judged(kind, answer, enrolled(kind)).right


def test_reasons_say_what_was_wrong() -> None:
    """One word each, for the audit."""
    kind = RecoveryCodes()
    code = codes_of(kind)[4]
    assert "malformed" == judged(kind, code[:-1], enrolled(kind)).reason
    assert "malformed" == judged(kind, code + "0", enrolled(kind)).reason
    assert "malformed" == judged(kind, "U" + code[1:], enrolled(kind)).reason
    assert "wrong" == judged(kind, "Z" * 16, enrolled(kind)).reason
    assert "code_used" == judged(kind, code, enrolled(kind, "1,4")).reason
    assert "no_credential" == judged(kind, code).reason


def test_all_credentials_are_looked_at() -> None:
    """A store may have two for a while; the one whose code it is, is used."""
    kind, first = RecoveryCodes(), enrolled(RecoveryCodes())
    codes = kind.begin(evolve(begin_request(kind), id="f" * 32)).public["codes"].split()
    second = evolve(first, id="f" * 32)
    for owned in ((first, second), (second, first)):
        use = judged(kind, codes[2], *owned).use
        assert use is not None
        assert ("f" * 32, "2") == (use.id, use.state["used"])


def test_the_number_of_codes_may_change_later() -> None:
    """A credential knows how many it has: a new setting takes none away and adds none."""
    codes = codes_of(RecoveryCodes(count=10))
    assert judged(RecoveryCodes(count=5), codes[9], enrolled(RecoveryCodes(count=10))).right
    more = codes_of(RecoveryCodes(count=20))
    assert codes == more[:10]
    assert not judged(RecoveryCodes(count=20), more[10], enrolled(RecoveryCodes(count=10))).right


@pytest.mark.parametrize(
    "state",
    [
        {"count": "x"},
        {"count": ""},
        {"count": "100"},
        {"used": "x"},
        {"used": "-1"},
        {"used": "1,\u0661"},
        {"used": None},
    ],
)
def test_a_state_that_cannot_be_read_lets_nobody_in(state: dict[str, str | None]) -> None:
    """Nobody gets in by a record that was written by hand, and no code is counted."""
    kind, owned = RecoveryCodes(), enrolled(RecoveryCodes())
    texts = {name: text for name, text in {**owned.state, **state}.items() if text is not None}
    broken = evolve(owned, state=texts)
    for code in codes_of(kind):
        assert not judged(kind, code, broken).right
    assert "0" == kind.create(create_request(kind, credentials=(broken,), proven=True)).public["codes_left"]


def test_a_root_key_that_is_gone_is_no_wrong_answer() -> None:
    """UnavailableError: the operator has taken away what the codes are compared with."""
    owned = enrolled(RecoveryCodes())
    with pytest.raises(UnavailableError):
        judged(RecoveryCodes(), "0" * 16, evolve(owned, state={**owned.state, "root": "gone"}))


# Before a factor is proven


@pytest.mark.parametrize("user", [ANN, NOBODY])
def test_who_has_not_enrolled_does_the_same_work_and_is_never_right(user: User) -> None:
    """A key is derived and as many codes are compared, and not even one of the made-up codes is right."""
    kind, derived = RecoveryCodes(), []
    request = verify_request(kind, {}, "0" * 16, user=user)
    real = request.methods.derive

    def derive(id_: str, root: str) -> bytes:
        derived.append((id_, root))
        return real(id_, root)

    assert not kind.verify(evolve(request, methods=evolve(request.methods, derive=derive))).right
    assert [(request.pseudonym("nobody"), request.root_key)] == derived
    made_up = kind.begin(evolve(begin_request(kind, user=user), id=derived[0][0])).public["codes"].split()
    for code in made_up:
        verdict = kind.verify(verify_request(kind, {}, code, user=user))
        assert Verdict(right=False, reason="no_credential") == verdict


def test_how_many_are_left_is_told_behind_a_factor_alone() -> None:
    """A stranger learns nothing of who has codes; the store is not even read."""
    kind = RecoveryCodes()
    for user, owned in ((ANN, (enrolled(kind, "1,2"),)), (ANN, ()), (NOBODY, ())):
        assert {} == dict(kind.create(create_request(kind, user=user, credentials=owned)).public)
    proven = kind.create(create_request(kind, credentials=(enrolled(kind, "1,2"),), proven=True))
    assert {"codes_left": "8"} == dict(proven.public)
    assert {"codes_left": "0"} == dict(kind.create(create_request(kind, proven=True)).public)


# What it says of itself


def test_it_says_that_it_is_a_backup() -> None:
    """It proves possession, remembers one list, and must not sign anybody in alone."""
    powers = powers_of(RecoveryCodes())
    assert {"possession"} == RecoveryCodes().proves
    assert ("one", True, False, True) == (powers.remembers, powers.enrols, powers.offers, powers.backup)


@pytest.mark.parametrize("setting", [{"count": 0}, {"count": 21}, {"attempts": 6}, {"lifetime": 59}])
def test_settings_are_refused(setting: dict[str, Any]) -> None:
    """The error names the setting."""
    with pytest.raises(ConfigurationError, match=f"recovery_codes: {next(iter(setting))} "):
        RecoveryCodes(**setting)


@pytest.mark.parametrize(
    ("setting", "low", "high", "default"), [("count", 1, 20, 10), ("attempts", 1, 5, 3), ("lifetime", 60, 600, 180)]
)
def test_numbers_have_bounds(setting: str, low: int, high: int, default: int) -> None:
    """The least and the most are taken, and what is beyond them is not."""
    assert default == getattr(RecoveryCodes(), setting)
    for value in (low, high):
        assert value == getattr(RecoveryCodes(**{setting: value}), setting)
    for value in (low - 1, high + 1):
        with pytest.raises(ConfigurationError, match=f"{setting} must be a whole number from {low} to {high}"):
            RecoveryCodes(**{setting: value})


def test_a_file_asks_for_them(tmp_path: Any) -> None:
    """By the name of the kind, behind a password."""
    from watchword import one_of, sequence
    from watchword_plugins.srp import Srp
    from watchword_plugins.totp import Totp

    file = tmp_path / "flow.toml"
    file.write_text(
        '[[steps]]\nkind = "srp"\n\n[[steps]]\none_of = [{ kind = "totp" }, { kind = "recovery_codes", count = 8 }]\n'
    )
    assert Flow(sequence(Srp(), one_of(Totp(), RecoveryCodes(count=8)))) == load_flow(str(file))
