"""What strangers send as an attestation or an assertion is read, or is malformed; it never raises."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytest.importorskip("fido2.webauthn")

from fido2 import cbor
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.authenticator import AT, ED, UP, UV, Authenticator, decode, encode, standard_form
from kit.w3c_vectors import VECTORS, assertion_of, expected_by, known_from, registration_of
from watchword.testing import hostile_answers
from watchword.testing.hostile import HOSTILE_TEXTS
from watchword_plugins.webauthn.ceremonies import LONGEST_ANSWER, read_assertion, read_registration
from watchword_plugins.webauthn.encoding import (
    MOST_DEPTH,
    MOST_ITEMS,
    end_of_cbor,
    from_base64url,
    read_json_object,
    to_base64url,
)
from watchword_plugins.webauthn.steps import failures

DEVICE = Authenticator()
CHALLENGE = b"c" * 24
REGISTRATION, ASSERTION = DEVICE.register(CHALLENGE), DEVICE.use(CHALLENGE)
ODD: list[Any] = [None, True, 0, -1, 1.5, "", "=", "é", "\ud800", "A", "AAAAA", "!!!!", [], {}, ["AAAA"], {"a": 1}]
ODD_BYTES = [b"", b"\0", b"\xff" * 8, b"{}", b"[]", b"null", b'"x"', b"\xef\xbb\xbf", b"[" * 9_000, b"\xc3\x28"]


def is_read(answer: Any) -> bool:
    """Whether either ceremony takes *answer*."""
    text = answer if isinstance(answer, str) else json.dumps(answer)
    return read_assertion(text) is not None or read_registration(text) is not None


@pytest.mark.parametrize("form", [dict, standard_form])
def test_both_forms_of_json_are_read(form):
    """That of the passwordless client, and that of `toJSON()`; also as bytes with padding in the other alphabet."""
    assert read_registration(json.dumps(form(REGISTRATION))) == read_registration(json.dumps(REGISTRATION)) is not None
    assert read_assertion(json.dumps(form(ASSERTION))) == read_assertion(json.dumps(ASSERTION)) is not None
    padded = {name: spelt_otherwise(value) for name, value in ASSERTION.items()}
    assert read_assertion(json.dumps(form(padded))) == read_assertion(json.dumps(ASSERTION))


def spelt_otherwise(value: str | None) -> str | None:
    """The same bytes with ``+``, ``/`` and padding."""
    if value is None:
        return None
    return value.replace("-", "+").replace("_", "/") + "=" * (-len(value) % 4)


@pytest.mark.parametrize("name", [*REGISTRATION, *ASSERTION])
@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_a_member_that_is_odd_or_missing_is_malformed(name, odd):
    """Save those that may be left out, and a text of other bytes, which is not yet wrong."""
    answer = REGISTRATION if name in REGISTRATION and odd is not None else ASSERTION
    if name not in answer:
        answer = REGISTRATION
    changed = {**answer, name: odd}
    fine = (name == "userHandleB64" and odd is None) or (
        name == "transports" and (odd is None or isinstance(odd, list))
    )
    assert fine == is_read(changed)
    without = {key: value for key, value in answer.items() if key != name}
    assert (name in {"userHandleB64", "transports"}) == is_read(without)


@pytest.mark.parametrize("raw", ODD_BYTES, ids=repr)
@pytest.mark.parametrize("name", ["attestationObjectB64", "clientDataJSON_B64", "authenticatorDataB64"])
def test_bytes_that_are_no_such_thing_are_malformed(name, raw):
    """Cut off, of another type, deep, or not UTF-8."""
    for answer in (REGISTRATION, ASSERTION):
        if name in answer:
            assert not is_read({**answer, name: encode(raw)})


def client_data_with(**members: Any) -> bytes:
    """Client data with *members* instead of the usual; `...` leaves one out."""
    usual = json.loads(DEVICE.client_data("webauthn.get", CHALLENGE)) | members
    return json.dumps({name: value for name, value in usual.items() if value is not ...}).encode()


@pytest.mark.parametrize(
    "data",
    [
        *(client_data_with(type=odd) for odd in (..., None, 1, [])),
        *(client_data_with(challenge=odd) for odd in (..., None, 1, "é", "A")),
        *(client_data_with(origin=odd) for odd in (..., None, 1, [])),
        *(client_data_with(crossOrigin=odd) for odd in (None, 0, "false")),
        *(client_data_with(topOrigin=odd) for odd in (0, [], {})),
        client_data_with()[:-1] + b', "origin": "https://evil.org"}',
        client_data_with()[:-1] + b', "x": NaN}',
        client_data_with()[:-1] + b', "x": ' + b"9" * 5_000 + b"}",
        client_data_with()[:-1] + b', "x": "\xff"}',
        client_data_with() + b" {}",
    ],
)
def test_client_data_that_are_odd_are_malformed(data):
    """A member of another type or missing, one that comes twice, and what is no JSON."""
    assert read_assertion(json.dumps(DEVICE.use(CHALLENGE, client_data=data))) is None


def test_a_byte_order_mark_is_no_part_of_the_client_data():
    """UTF-8 decode strips it (7.1 step 5), although the hash covers it."""
    data = b"\xef\xbb\xbf" + client_data_with()
    assert read_assertion(json.dumps(DEVICE.use(CHALLENGE, client_data=data))) is not None


def test_lone_surrogates_are_texts_like_others():
    """They are no origin, and raise nothing."""
    read = read_assertion(json.dumps(DEVICE.use(CHALLENGE, origin="\ud800")))
    assert read is not None
    assert read.client.origin == "\ud800"


KEY = dict(DEVICE.public_key)
X = KEY[-2]


@pytest.mark.parametrize(
    "key",
    [
        {},
        *({name: value for name, value in KEY.items() if name != missing} for missing in KEY),
        *({**KEY, name: odd} for name in KEY for odd in (0, 99, "x", b"", b"\0" * 32, b"\xff" * 32, True, [])),
        {**KEY, 2: b"kid"},
        {**KEY, "x": 1},
        {**KEY, -2: b"\0" + X},
        {1: 1, 3: -8, -1: 6, -2: b"\0" * 31},
        {1: 3, 3: -257, -1: b"\xff" * 128, -2: b"\1\0\1"},
        {1: 3, 3: -257, -1: b"\x7f" + b"\xff" * 255, -2: b"\1\0\1"},  # 2,047 bits
        {1: 3, 3: -257, -1: b"\xff" * 513, -2: b"\1\0\1"},
        {1: 3, 3: -257, -1: b"\xff" * 256, -2: b"\xff" * 5},
        {1: 3, 3: -257, -1: b"\xff" * 256, -2: b""},
        {1: 7, 3: -49, -1: b"k" * 1952},
        {1: 3, 3: -65535, -1: b"\xff" * 256, -2: b"\1\0\1"},
    ],
)
def test_a_key_that_verifies_nothing_is_malformed(key):
    """A point off its curve, a member that is missing, of another size or too many, a weak key, an unknown algorithm."""
    data = DEVICE.data(attested=True, public_key=key)
    assert read_registration(json.dumps(DEVICE.register(CHALLENGE, data=data))) is None


def test_authenticator_data_are_as_long_as_they_say():
    """Nothing is missing, and nothing follows; extensions may, where the flag says so."""
    data, attested = DEVICE.data(), DEVICE.data(attested=True)
    for odd in (*(data[:end] for end in range(len(data))), data + b"\0", data + attested[37:]):
        assert read_assertion(json.dumps(DEVICE.use(CHALLENGE, data=odd))) is None
    for odd in (*(attested[:end] for end in range(len(attested))), attested + b"\0", data):
        assert read_registration(json.dumps(DEVICE.register(CHALLENGE, data=odd))) is None
    for extensions in ({}, {"credProtect": 2}, {"uvm": [[2, 4, 2]], "hmac-secret": True}):
        data = DEVICE.data(attested=True, extensions=extensions)
        assert read_registration(json.dumps(DEVICE.register(CHALLENGE, data=data))) is not None
        data = DEVICE.data(extensions=extensions)
        assert read_assertion(json.dumps(DEVICE.use(CHALLENGE, data=data))) is not None
    for unsound in (b"\xa2\x00\x00\x00\x00", b"\xa1\x00\x41", b""):  # a key twice, which the library takes; cut off
        data = DEVICE.data()[:32] + bytes([UP | UV | ED]) + DEVICE.data()[33:] + unsound
        assert read_assertion(json.dumps(DEVICE.use(CHALLENGE, data=data))) is None
    data = DEVICE.data(extensions={})
    flags = bytearray(data)
    flags[32] = UP | UV | AT | ED
    assert read_assertion(json.dumps(DEVICE.use(CHALLENGE, data=bytes(flags)))) is None


def test_an_assertion_may_hold_a_key_if_it_is_one():
    """Some authenticators send it with each signature; nobody reads it."""
    for key, fine in ((None, True), ({1: 2}, False), ({}, False)):
        data = DEVICE.data(attested=True, public_key=key)
        assert fine == is_read(DEVICE.use(CHALLENGE, data=data))


def test_a_registration_needs_an_id():
    """An empty one is none; one beside it must be the same."""
    assert not is_read(Authenticator(id=b"").register(CHALLENGE))
    standard = standard_form(REGISTRATION)
    for other in ("AAAA", None, 1, ""):
        assert not is_read({**standard, "id": other, "rawId": other})
        assert not is_read({**standard, "id": other})
    assert not is_read({**standard, "type": "password"})
    assert not is_read({**standard, "response": []})


def test_user_handles_have_64_bytes_at_most():
    """And one at least."""
    for length, fine in ((0, False), (1, True), (64, True), (65, False)):
        assert fine == is_read(Authenticator(user_handle=b"u" * length).use(CHALLENGE))


def test_transports_are_words():
    """Others are left out, and so is what comes twice; there are eight at most."""
    given = ["usb", "usb", "smart-card", "USB", "", "a b", "x" * 21, "\ud800", *(f"t{n}" for n in range(9))]
    read = read_registration(json.dumps({**REGISTRATION, "transports": given}))
    assert read is not None
    assert read.transports == ("usb", "smart-card", "t0", "t1", "t2", "t3", "t4", "t5")


def test_an_answer_has_an_end():
    """A text that is longer than any answer is not looked at."""
    text = json.dumps(ASSERTION)
    assert read_assertion(text + " " * (LONGEST_ANSWER - len(text))) is not None
    assert read_assertion(text + " " * (LONGEST_ANSWER - len(text) + 1)) is None


def test_whatever_else_comes_is_malformed():
    """Of any type, and in any script."""
    for text in (*hostile_answers(json.dumps(ASSERTION)), *HOSTILE_TEXTS, "[" * 16_000, '{"a":' * 3_000):
        assert read_assertion(text) is None
        assert read_registration(text) is None


# CBOR


def nested(levels: int) -> bytes:
    """An array in an array and so on."""
    return b"\x81" * (levels - 1) + b"\x00"


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"\x18", b"\x1b\0\0\0", b"\x41", b"\x5b" + b"\xff" * 8, b"\x61\xff", b"\x9b" + b"\xff" * 8),
        *(b"\x9f\xff", b"\x5f\xff", b"\xbf\xff", b"\x1c", b"\xff", b"\xc0\x00", b"\xf9\0\0", b"\xfb" + b"\0" * 8),
        *(b"\xf7", b"\xf8\x20", b"\xa1", b"\xa1\x00", b"\xa2\x00\x00\x00\x00", b"\xa1\x80\x00", b"\xa1\x40\x00"),
        *(
            b"\xbb" + b"\xff" * 8,
            nested(MOST_DEPTH + 1),
            nested(15_000),
            b"\xa1\x00" * MOST_DEPTH + b"\x00",
            b"\x9a" + b"\0\0\x10\0" + b"\0" * 4096,
        ),
    ],
)
def test_cbor_that_a_credential_never_holds_is_none(data):
    """Cut off, of indefinite length, a tag, a float, a key twice or of another type, too deep, too much, no UTF-8."""
    assert end_of_cbor(data) is None


@pytest.mark.parametrize("key", [0, 1, 23, 24, 255, 256, 65_536, -1, -24, -25, "", "fmt", "x" * 24])
def test_a_key_comes_once_however_it_is_written(key):
    """A number or a length may be written in more bytes than it needs: a reader that takes the last of two keys sees one."""
    spellings = [cbor.encode(key), *longer_spellings(cbor.encode(key))]
    for one in spellings:
        alone = b"\xa1" + one + b"\0"
        assert len(alone) == end_of_cbor(alone)
        for other in spellings:
            assert end_of_cbor(b"\xa2" + one + b"\0" + other + b"\1") is None
            apart = b"\xa2" + one + b"\0" + b"\x61y" + b"\1"
            assert len(apart) == end_of_cbor(apart)


def longer_spellings(item: bytes) -> list[bytes]:
    """The CBOR *item* with its number or its length in each number of bytes that is more than it has."""
    major, more = item[0] & 0b11100000, item[0] & 0b11111
    used = {24: 1, 25: 2, 26: 4}.get(more, 0)
    number = int.from_bytes(item[1 : 1 + used], "big") if used else more
    sizes = [(24, 1), (25, 2), (26, 4), (27, 8)]
    return [
        bytes([major | info]) + number.to_bytes(size, "big") + item[1 + used :] for info, size in sizes if size > used
    ]


def test_cbor_ends_where_its_item_does():
    """What follows is left for others."""
    assert end_of_cbor(nested(MOST_DEPTH) + b"more") == MOST_DEPTH
    assert end_of_cbor(b"\x99\x03\xe7" + b"\0" * (MOST_ITEMS - 1)) == MOST_ITEMS + 2
    for vector in VECTORS.values():
        raw = bytes.fromhex(vector["reg"]["attestationObject"])
        assert end_of_cbor(raw + b"\0") == len(raw)


_LEAF = st.integers(-(2**63), 2**63) | st.booleans() | st.text(max_size=9) | st.binary(max_size=9)
_KEYS = st.integers(-300, 300) | st.text(max_size=5)


@given(
    st.recursive(
        _LEAF, lambda each: st.lists(each, max_size=4) | st.dictionaries(_KEYS, each, max_size=4), max_leaves=12
    )
)
def test_what_the_library_writes_is_sound(value):
    """Unless it is deeper than anything in Web Authentication."""
    raw = cbor.encode(value)
    assert end_of_cbor(raw) in {len(raw), None}
    assert end_of_cbor(raw[:-1]) is None


@given(st.binary(max_size=60))
def test_what_is_sound_is_read_by_the_library(data):
    """And to its end."""
    end = end_of_cbor(data)
    if end is not None:
        cbor.decode(data[:end])


# Text


@given(st.binary(max_size=40))
def test_base64url_is_read_as_it_is_written(data):
    """In both alphabets, padded or not."""
    text = to_base64url(data)
    assert from_base64url(text) == from_base64url(spelt_otherwise(text)) == data


@pytest.mark.parametrize(
    "text", ["A", "AAAAA", "AA===", "=", "===", "A=A", "AA A", "AA\n", "é", "\ud800", "AAA\uff21", None, 1, b"AA"]
)
def test_what_is_no_base64url_is_none(text):
    """Of a length that no bytes have, with other characters, or of another type."""
    assert from_base64url(text) is None or text == "="


@pytest.mark.parametrize(
    "text", ["", "[]", "1", "null", '{"a": 1, "a": 1}', '{"a": {"b": 1, "b": 2}}', "{", '{"a": Infinity}']
)
def test_what_is_no_json_object_is_none(text):
    """Or names a member twice, at any depth."""
    assert read_json_object(text) is None
    assert read_json_object(text.encode()) is None


# Everything at once


def mutated(data: bytes, place: int, how: str, byte: int) -> bytes:
    """The bytes with one changed, left out, put in, or all from there on cut off."""
    place %= len(data) + 1
    head, tail = data[:place], data[place:]
    return {
        "change": head + bytes([byte]) + tail[1:],
        "drop": head + tail[1:],
        "add": head + bytes([byte]) + tail,
        "cut": head,
        "repeat": head + head + tail,
    }[how]


@settings(max_examples=400)
@given(
    name=st.sampled_from(sorted(VECTORS)),
    which=st.integers(0, 5),
    place=st.integers(0, 2000),
    how=st.sampled_from(["change", "drop", "add", "cut", "repeat"]),
    byte=st.integers(0, 255),
)
def test_a_vector_that_is_mutated_is_wrong_and_raises_nothing(name, which, place, how, byte):
    """One change anywhere in what was signed is malformed or fails a step. Without a statement a registration is not signed."""
    vector = VECTORS[name]
    for answer, read, part in (
        (registration_of(vector), read_registration, vector["reg"]),
        (assertion_of(vector), read_assertion, vector["auth"]),
    ):
        members = [member for member, value in answer.items() if value is not None]
        member = members[which % len(members)]
        raw = mutated(decode(answer[member]), place, how, byte)
        if raw == decode(answer[member]):
            continue
        parsed = read(json.dumps({**answer, member: encode(raw)}))
        known = (known_from(vector),) if read is read_assertion else ()
        wrong = parsed is None or next(failures(expected_by(part, known=known), parsed), None) is not None
        assert wrong or read is read_registration


@given(
    st.dictionaries(
        st.sampled_from([*REGISTRATION, *ASSERTION, "id", "rawId", "response", "type"]), st.text(max_size=50)
    )
)
def test_members_of_any_text_raise_nothing(answer):
    """Whatever is named."""
    assert not is_read(answer)
