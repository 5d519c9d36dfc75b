"""Keys: weak ones are refused, derived ones are independent, codes are unbiased."""

import base64
import hashlib
import hmac
import math
import string
import struct
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword import ConfigurationError
from watchword.runtime.keyring import MIN_KEY_BYTES, Key, Keyring, KeyringWithRootKeys, length_prefixed

SECRET = bytes(range(100, 132))
OTHER = hashlib.sha256(b"another").digest()
ALPHABET = "".join(map(chr, range(0x100, 0x200)))
KEY = Keyring.of(SECRET).current


# --- the ring -----------------------------------------------------------------------------------------------------


def test_a_ring_is_made_of_one_secret_of_several_or_of_a_ring():
    """Newest first."""
    ring = Keyring.of([OTHER, SECRET])
    assert Keyring.of(SECRET) == Keyring.of([SECRET]) == Keyring.of((bytearray(SECRET),))
    assert Keyring.of(ring) is ring
    assert ring.current == Keyring.of(OTHER).current
    assert ring.root_key == Keyring.of(SECRET).current


def test_a_root_key_lasts_and_makes_no_challenge():
    """The newest of those that rotate makes, the oldest root key lasts, and all of both read."""
    third = hashlib.sha256(b"a third").digest()
    root, rotating = Keyring.of([OTHER, SECRET]), Keyring.of(third)
    ring = KeyringWithRootKeys(root, rotating)
    assert (root.root_key, rotating.current) == (ring.root_key, ring.current)
    assert [key.id for key in (*root.keys, *rotating.keys)] == [
        ring.find(key.id).id for key in (*root.keys, *rotating.keys)
    ]
    assert ring.find("") is None


def test_a_key_is_found_by_its_id_until_it_leaves_the_ring():
    """Rotation: the newest makes, all of them read."""
    ring = Keyring.of([OTHER, SECRET])
    assert ring.find(ring.root_key.id) == ring.root_key
    assert ring.find(ring.current.id) == ring.current
    assert Keyring.of(OTHER).find(ring.root_key.id) is None
    assert ring.find("") is None


@pytest.mark.parametrize("missing", [[], ()])
def test_a_missing_key_is_refused(missing):
    """The message says how to make one."""
    with pytest.raises(ConfigurationError, match=r"key is missing: set WATCHWORD_KEY or pass key=; make one with"):
        Keyring.of(missing)


@pytest.mark.parametrize("length", [0, 1, 16, MIN_KEY_BYTES - 1])
def test_a_short_key_is_refused(length):
    """By its place in the list; the message never shows it."""
    with pytest.raises(
        ConfigurationError, match=rf"key 2 is too short: {length} bytes, 32 are needed; make one"
    ) as caught:
        Keyring.of([SECRET, OTHER[:length]])
    assert repr(OTHER[:length])[2:-1] not in str(caught.value) or not length


@pytest.mark.parametrize("secret", [b"a" * 64, b"k" * 32, b"0123456789" * 5, bytes(40)], ids=repr)
def test_a_key_that_is_visibly_not_random_is_refused(secret):
    """Ten different bytes or fewer."""
    with pytest.raises(ConfigurationError, match=r"key 1 is not random: it repeats (1|10) different bytes; make one"):
        Keyring.of(secret)


@pytest.mark.parametrize("secret", ["k" * 40, 7, None, [1, 2]], ids=repr)
def test_a_key_that_is_no_bytes_is_refused(secret):
    """A text of base64 is the environment's business."""
    with pytest.raises(ConfigurationError, match=rf"key 1 is no bytes but {type(secret).__name__}; make one"):
        Keyring.of([secret])


def test_the_smallest_key_is_allowed():
    """32 bytes, and 11 different ones."""
    assert Keyring.of(b"0123456789a" * 3)
    assert Keyring.of(SECRET).current.id != Keyring.of(OTHER).current.id


def test_the_secret_is_in_no_repr_and_the_id_tells_nothing():
    """Not of the key, not of the ring; the id is no digest of the secret itself."""
    ring = Keyring.of(SECRET)
    for text in (repr(ring), repr(ring.current), str(ring)):
        assert repr(SECRET)[2:12] not in text
        assert SECRET.hex() not in text
    assert len(ring.current.id) == 8
    assert ring.current.id != hashlib.sha256(SECRET).hexdigest()[:8]


# --- packing ------------------------------------------------------------------------------------------------------

TEXTS = st.lists(st.text(st.characters(), max_size=4), max_size=4)


@given(TEXTS, TEXTS)
def test_no_two_lists_pack_to_the_same_bytes(first, second):
    """So parts cannot be spliced into each other, surrogates included."""
    assert (length_prefixed(*first) == length_prefixed(*second)) == (first == second)


@pytest.mark.parametrize(
    ("first", "second"),
    [(("a", "bc"), ("ab", "c")), (("ab",), ("a", "b")), (("", "a"), ("a", "")), ((), ("",)), (("a\0b",), ("a", "b"))],
)
def test_splices_differ(first, second):
    """Those that a plain join confuses, in digests too."""
    assert length_prefixed(*first) != length_prefixed(*second)
    assert KEY.digest("purpose", *first) != KEY.digest("purpose", *second)


def test_packing_cannot_be_spliced_with_its_own_lengths():
    """A part that holds packed bytes is not those parts."""
    inner = length_prefixed("a", "b").decode("latin-1")
    assert length_prefixed(inner) != length_prefixed("a", "b")
    assert length_prefixed("x", inner) != length_prefixed("x", "a", "b")


# --- digests ------------------------------------------------------------------------------------------------------


def test_digests_differ_by_key_purpose_and_parts():
    """Each of them counts; the same again is the same."""
    other = Keyring.of(OTHER).current
    digests = [
        key.digest(purpose, *parts)
        for key in (KEY, other)
        for purpose in ("code email_otp", "seal email_otp", "code", " email_otp", "")
        for parts in ((), ("",), ("a",), ("a", "b"), ("ab",), ("b", "a"))
    ]
    assert len(set(digests)) == len(digests)
    assert {len(digest) for digest in digests} == {64}
    assert KEY.digest("code", "a") == Keyring.of(SECRET).current.digest("code", "a")


def test_a_digest_never_gives_the_stream_of_a_code():
    """A digest may travel: with the purpose and seed of a code it must not be the bytes that the code is read from."""
    everything = "".join(map(chr, range(256)))
    for purpose, seed in (("code email_otp", "claim"), ("seal", "")):
        code = KEY.choose(purpose, seed, everything, 32).encode("latin-1").hex()
        for parts in ((seed, "0"), (seed,), (seed, "1"), ()):
            assert KEY.digest(purpose, *parts) != code


def test_keys_of_different_purposes_are_independent():
    """Half of all bits differ, between purposes and between keys."""
    other = Keyring.of(OTHER).current
    differing = total = 0
    for number in range(400):
        one = int(KEY.digest("one", str(number)), 16)
        for two in (KEY.digest("two", str(number)), other.digest("one", str(number))):
            differing += (one ^ int(two, 16)).bit_count()
            total += 256
    assert abs(differing / total - 0.5) < 4 * 0.5 / math.sqrt(total)


# --- codes --------------------------------------------------------------------------------------------------------


def chi_square(symbols, alphabet):
    """Return how many standard deviations the counts of *symbols* are off from even ones (Wilson-Hilferty)."""
    counts = Counter(symbols)
    even = len(symbols) / len(alphabet)
    statistic = sum((counts[symbol] - even) ** 2 / even for symbol in alphabet)
    freedom = len(alphabet) - 1
    spread = 2 / (9 * freedom)
    return ((statistic / freedom) ** (1 / 3) - (1 - spread)) / math.sqrt(spread)


SIZES = [2, 3, 10, 16, 20, 28, 100, 129, 200, 255, 256]


@pytest.mark.parametrize("size", SIZES)
def test_every_symbol_is_equally_likely(size):
    """Chi-square over 120,000 symbols; 129 and 200 throw the most bytes away, 10, 20 and 28 are the kinds' own."""
    alphabet = ALPHABET[:size]
    assert abs(chi_square(KEY.choose("code", f"size {size}", alphabet, 120_000), alphabet)) < 4.5


def test_every_place_of_a_short_code_is_unbiased():
    """Eight digits of 20,000 claims, place by place: codes are short, so each place counts for itself."""
    codes = [KEY.choose("code email_otp", f"claim {number}", string.digits, 8) for number in range(20_000)]
    for place in range(8):
        assert abs(chi_square([code[place] for code in codes], string.digits)) < 4.5


def test_neighbouring_symbols_are_independent():
    """Pairs of digits are as even as digits."""
    symbols = KEY.choose("code", "pairs", string.digits, 150_000)
    pairs = ["".join(pair) for pair in pairwise(symbols)][::2]
    assert abs(chi_square(pairs, [f"{number:02}" for number in range(100)])) < 4.5


@pytest.mark.parametrize("size", [10, 20, 28, 200])
def test_the_measure_finds_a_modulo_bias(size):
    """The twin that keeps every byte and takes it modulo the size is caught with the same number of symbols."""
    alphabet = ALPHABET[:size]
    stream = b"".join(hashlib.sha256(f"{size} {number}".encode()).digest() for number in range(120_000 // 32))
    biased = [alphabet[byte % size] for byte in stream]
    assert abs(chi_square(biased, alphabet)) > 4.5


class FakeHash:
    """In place of HMAC: bytes 0, 1, 2, … over and over, so each outcome can be counted."""

    def __init__(self):
        self.next = 0

    def digest(self, key, message, name):
        """Return the next 32 bytes."""
        block = bytes((self.next + place) % 256 for place in range(32))
        self.next += 32
        return block


@pytest.mark.parametrize("size", SIZES)
def test_over_all_bytes_each_symbol_comes_exactly_as_often(size, monkeypatch):
    """With every byte once, counts are equal to the last one: no bias at all, not merely none that is seen."""
    monkeypatch.setattr("watchword.runtime.keyring.hmac", FakeHash())
    alphabet = ALPHABET[:size]
    full = 256 // size
    fake = Key("id", SECRET)
    fake.digest("purpose")  # two calls of the hash, so the stream does not begin at 0: order must not matter
    counts = Counter(fake.choose("code", "seed", alphabet, full * size * 3))
    assert set(counts.values()) == {full * 3}
    assert len(counts) == size


def test_a_code_is_the_same_for_the_same_claim_and_else_another():
    """It is derived, never stored; key, purpose and seed all count, and the start of a longer code is the shorter."""
    other = Keyring.of(OTHER).current
    codes = [
        key.choose(purpose, seed, string.digits, 30)
        for key in (KEY, other)
        for purpose in ("code email_otp", "code captcha")
        for seed in ("claim 1", "claim 2", "")
    ]
    assert len(set(codes)) == len(codes)
    assert KEY.choose("code", "claim", string.digits, 8) == Keyring.of(SECRET).current.choose(
        "code", "claim", string.digits, 8
    )
    assert KEY.choose("code", "claim", string.digits, 80).startswith(KEY.choose("code", "claim", string.digits, 8))


@pytest.mark.parametrize("length", [0, 1, 31, 32, 33, 1000])
def test_a_code_has_the_length_that_was_asked_for(length):
    """Also where one block of the stream is not enough."""
    code = KEY.choose("code", "seed", string.digits, length)
    assert len(code) == length
    assert set(code) <= set(string.digits)


@pytest.mark.parametrize("size", [0, 1, 257])
def test_an_alphabet_has_2_to_256_symbols(size):
    """One symbol is no secret, and more than a byte can tell is none either."""
    with pytest.raises(ConfigurationError, match=rf"alphabet has 2 to 256 symbols, this one has {size}"):
        KEY.choose("code", "seed", "x" * size, 8)


# --- locking ------------------------------------------------------------------------------------------------------


@given(st.text(st.characters(exclude_categories=()), max_size=200), st.text(max_size=9), st.text(max_size=9))
def test_what_is_locked_is_unlocked_by_the_same_key_purpose_and_context_alone(text, purpose, context):
    """Any text, half pairs and none at all included; everything else reads as nothing."""
    locked = KEY.lock(purpose, context, text)
    assert text == KEY.unlock(purpose, context, locked)
    other = Keyring.of(OTHER).current
    wrong = ((other, purpose, context), (KEY, purpose + "x", context), (KEY, purpose, context + "x"))
    for key, for_what, bound_to in wrong:
        assert key.unlock(for_what, bound_to, locked) is None


def test_no_bit_can_be_changed():
    """Nor may any be missing, or be there besides."""
    locked = base64.urlsafe_b64decode(KEY.lock("state", "token", "ann, and more than one block of thirty-two bytes"))
    for place in range(len(locked) * 8):
        changed = bytearray(locked)
        changed[place // 8] ^= 1 << place % 8
        assert KEY.unlock("state", "token", base64.urlsafe_b64encode(changed).decode()) is None
    for odd in (b"", locked[:-1], locked[1:], locked + b"\0", locked[:32], locked[:31]):
        assert KEY.unlock("state", "token", base64.urlsafe_b64encode(odd).decode()) is None


@pytest.mark.parametrize("odd", ["", "é", "\ud800", "A", "====", "[1]", "AAAA+/==", " ", "x" * 1000])
def test_what_was_never_locked_reads_as_nothing(odd):
    """Whoever writes it; and no text raises."""
    assert KEY.unlock("state", "token", odd) is None


def test_what_is_locked_is_not_to_be_seen():
    """Half of all bits differ from the text, and from another one's that differs in one letter."""
    differing = total = 0
    for number in range(200):
        text = f"{number:03}" + "a" * 97
        hidden, other = (
            base64.urlsafe_b64decode(KEY.lock("state", str(number), each))[32:] for each in (text, text[:-1] + "b")
        )
        for one, two in ((hidden, text.encode()), (hidden, other)):
            differing += (int.from_bytes(one, "big") ^ int.from_bytes(two, "big")).bit_count()
            total += 800
    assert abs(differing / total - 0.5) < 4 * 0.5 / math.sqrt(total)


# --- the derivation, word for word --------------------------------------------------------------------------------


def written_again(secret, purpose, seed, alphabet, length):
    """The code by the words of the documentation: HKDF-Expand, then HMAC blocks, bytes of the tail thrown away."""

    def packed(*parts):
        return b"".join(struct.pack(">Q", len(part.encode())) + part.encode() for part in parts)

    key = hmac.new(secret, packed("watchword/1", purpose, "choose") + bytes([1]), "sha256").digest()
    stream = b"".join(hmac.new(key, packed(seed, str(block)), "sha256").digest() for block in range(20))
    kept = [byte for byte in stream if byte < 256 // len(alphabet) * len(alphabet)]
    return "".join(alphabet[byte % len(alphabet)] for byte in kept[:length])


@pytest.mark.parametrize("alphabet", ["01", string.digits, "ACDEFGHJKLMNPQRTUVWXY", ALPHABET[:200], ALPHABET])
@pytest.mark.parametrize("length", [1, 6, 8, 40, 100])
def test_a_code_is_what_the_documentation_says(alphabet, length):
    """Two versions that serve one sign-in must find the same code, so nothing of the derivation may change unnoticed."""
    for seed in ("claim", "0" * 32, "é"):
        assert written_again(SECRET, "code", seed, alphabet, length) == KEY.choose("code", seed, alphabet, length)


def test_a_digest_is_what_the_documentation_says():
    """HMAC under a key of the purpose, over the parts with their lengths."""
    key = hmac.new(
        SECRET, struct.pack(">Q", 11) + b"watchword/1" + struct.pack(">Q", 6) + b"answer\x01", "sha256"
    ).digest()
    parts = struct.pack(">Q", 1) + b"a" + struct.pack(">Q", 0) + struct.pack(">Q", 2) + "é".encode()
    assert hmac.new(key, parts, "sha256").hexdigest() == KEY.digest("answer", "a", "", "é")
    named = hmac.new(
        SECRET, struct.pack(">Q", 11) + b"watchword/1" + struct.pack(">Q", 6) + b"key id\x01", "sha256"
    ).digest()
    assert hashlib.sha256(named).hexdigest()[:8] == KEY.id


def test_what_is_locked_is_what_the_decision_says():
    """SIV: a tag over context and text, and a stream that begins with the tag, each under a key of its own."""

    def packed(*parts):
        return b"".join(struct.pack(">Q", len(part)) + part for part in parts)

    def part(name):
        return hmac.new(SECRET, packed(b"watchword/1", b"state", name) + b"\x01", "sha256").digest()

    text = "ann, and more than one block of thirty-two bytes: é".encode()
    tag = hmac.new(part(b"tag"), packed(b"token") + text, "sha256").digest()
    stream = b"".join(
        hmac.new(part(b"stream"), tag + struct.pack(">Q", block), "sha256").digest() for block in range(2)
    )
    hidden = bytes(one ^ two for one, two in zip(text, stream, strict=False))
    assert tag + hidden == base64.urlsafe_b64decode(KEY.lock("state", "token", text.decode()))
