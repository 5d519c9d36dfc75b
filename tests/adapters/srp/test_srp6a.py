"""SRP-6a agrees with every published client, on every edge, and refuses what would give it away."""

import base64
import hashlib
import hmac
import string

import pytest
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.errors import ProtocolError, UnavailableError
from watchword_adapters.srp import srp6a

POOL = "xx-test-1_AbCdEf123"
CLIENT_SECRET = int("c0ffee" * 20, 16)
SATURDAY = "Sat Jan 1 00:00:00 UTC 2022"
BLOCK = b"\x00\x01block"


@frozen
class Vector:
    """One line of the table: five independent implementations agreed on it."""

    b: int
    u: str
    key: str
    signature: str
    x: str = "befa74d565e55f075a5f9f75f8e1b33b5abccd6b1beb14d4b3e220220edf051e"
    salt: str = "7f" * 15 + "01"
    user: str = "user@example.com"
    password: str = "Passw0rd!"
    block: bytes = BLOCK
    timestamp: str = SATURDAY


VECTORS = {
    "base": Vector(
        b=int("5eed" * 32, 16),
        u="9e1fb6efefc49869095c2bbda7cba0b942558e2b97c032d3a3eb6c4fa4b4c7ab",
        key="3c30117de8f095754e3169d8980e103d",
        signature="gF9zQ+HLgcucqRq3THTUWsGI7qzJ+WV7i1uHeH3hO2o=",
    ),
    "salt with its top bit set": Vector(
        b=int("5eed" * 32, 16),
        salt="ff" * 16,
        u="1e4197bb25bf7445de7e77432f75c109e977e2d9f65fd5167e3c775b42fd293f",
        key="699d8d4c3ccb76562d673d12a8b2bb12",
        signature="O/+ykI3hc0+LDq1r+AvnUcZja/2xLPq0nW+zeqX8CnQ=",
        x="02c394ff6307b657855657f957e164b166cdbf2175df1afe7e11ac64fe428ace",
    ),
    "salt of odd length, password beyond ASCII": Vector(
        b=int("5eed" * 32, 16),
        salt="b" + "11" * 15,
        user="7b3e5c1a-0000-4000-8000-000000000001",
        password="pä ss:wörd☃",
        block=b"\xff" * 40,
        timestamp="Mon Feb 28 23:59:59 UTC 2028",
        u="5daba1dc99ad21104fa90695fa7a8fbdc7a80ab74851883d3a7749fe886a25ae",
        key="a04706a41fa705909f40838367d9d5de",
        signature="wl6QjpCLbb7WjIiJ1MwGWf6oLOvqWpOK6P+yvtMcFd4=",
        x="2adf96f74dc76eff641c3fd669c4cc71d41af4f834c7d73c0823b015497a7426",
    ),
    "u with a leading zero byte": Vector(
        b=2**200 + 137,
        u="005eefaf0a298d9279843e44682f1f2dc4ab87b9b29fad3c54aab63bf9144694",
        key="bdca90b4ffdbc96affe7e2158d037163",
        signature="EZNTeTbnUthg6/D8sQ5rcvgBMfVxw7DGREVQ145y3Jo=",
    ),
    "B one byte short": Vector(
        b=2**200 + 166,
        u="19f240aa66898956b3cce88f5b4e3807b18b5c72cdf23ea699709460e75b54e8",
        key="974dbf289d15897fdd7293e372114562",
        signature="GoPS4KoT4i85GQRypAAAL/8FzrbS5GhHdfaVqzIWneM=",
    ),
}

# Values of cognito-srp-helper's published mock sign-in (src/__tests__/mocks/data.ts, Apache-2.0).
PUBLISHED_POOL = "eu-west-2_eYpv1mFHB"
PUBLISHED_USER = "a2c2e290-6d0f-4a08-a5ca-f0162935f3a6"
PUBLISHED_SALT = "baf4431cdaa37c04c0d655a99f5e9b9b"
PUBLISHED_A_SECRET = "abcdef0123456789"
PUBLISHED_B = (
    "bc071b539bfaa44b26a4f4a917dcc4b90291f3fea737baa555c0dfc792f11849902859dd52976fd7367130d91969670e8a0beb66d0446417"
    "09d7a9ea609e2cc5baac6837e1ee8f8d9ccdce535be1dee59d4c893d9c9a1f06ddacb9d927e29c0e8bb1b8dda315f297e82c6095570ae3ab"
    "28a9110dfc4367296d77898b1d69d029f76e16ffebed59fc568548a9fb54a1a462440b19b4e4d89ae414374654788d599d0635f9b8a7a5c6"
    "a8556e675c4e01690d5324eecd092d269b2be31fa2dc7192cb0bec8a390ca4ce791c8e8cc9ed7258929430a2802a2b9dadd985a004d584e8"
    "83621ff3518e223a6dbab5071bc844e4ee7d12f6c29bd9197f0fefcee91020b0903596cf170efd27648eb5de5ab2961032cf759dbc48dadb"
    "6db0dd585bb9c1e9f73bbea67a7ca406e26d4333c63d5339fa8c0f51fc12df554737da39fc780c0a648e884600f1bf9398cedddaee7d6db6"
    "ace4e0007d97f7322d7270dc25c6e6ae000e54b62f8cb868b16e16eadb4c8c87f3baae1c1b8e59aabb73771e62c0b898"
)
PUBLISHED_BLOCK = (
    "gn7F/ENIPPk/KZ7P2xYr4S0pZhCn29Y0nxXBtEPEc8Tt2cqbQpWorIuwSAC0g3fpDW9djD5+b9v30TctMTiVt6xjGaZeuWzzgAnVrc0l0xROzJIt"
    "EQM1V96ySkrfFbL4tKuZokrqiszsRkgwnu4SGBz3akVpUD8pZnAg1Ycfc3LLSyQETFTndRHjS8UFGIovw7wqQfxKNKDC1nY2XYWR1nFuEIvHXb+T"
    "vc76IxNZcaEvl5sAuTjwpVlmfwPSOELXnYxvDxUcFYO3sNguNqahn6aH4j16ccEZ/Wqoubn7QkomXV3Qdo5khQbw4F9CWFaxCHoRZwFAc8RQ4oGi"
    "IHLvuMb/Y/JhGTL3HefSkBXQ+uvoPK7YdgY8yn3SejYv4xD8lw+KLTPy1EbCXX9Aq1uwgjzeSygLl7/tkf1C/YzhefXEOfaLk2eNRlAschYunQ7W"
    "eIZWBYzW+38+r4bQpaecj8GcH/ycAOpacfoLB+/q3E/dHsFOFlzetYO6Qll5AXEv4hzJZgNh1/2zK3N8j2JBUjZs2h60Rh8OS+ZcQGa7ICPfS7XD"
    "vSV8U6Xan3j2m0Azz2ara+1I4MYDVj5P4/BneVDh4L+6Dl3EWEAF9UO8Ur1/5seiOVcAQe3TlwN9UWgmOZHIq/UGU14ofpmZI46WWS3qB+yBPHbW"
    "WJ0MMFFtRwCTzFl+2kRGthRR5A+6MSuLCfdcQwqb6FYRZEdgXZzMa6Td0Pog/5TFqxygkRB0P3Yq4lfOnRKI6cC3+2g8uMsEmOJfzsVrsfi6GTAP"
    "rP+lIPpNe12ZquFzPGi9Z68Odj+aNDYChalBpuvJgxWR2EFuyj2MebKz6Zo/5V/w964aTTYjUt1pPHURLx3MKl7Ns1xF1lklQ1DAOQYNrVWxWJRs"
    "4TxipduEq4N02uh9XKWzXxLJuHsc1B9e1Dc+1sHs122POq7i/VYoln6LhO30o32lDHOGa56krde0N/+FY7034zB1pqL8VuDd2/8o8XZ+D/ez/1gB"
    "wQ2y1q6CRvvZmNyYBIC8an/Vgb++e5zgx6Cb43o9+PEFc8UEA8QljTgZ2m+kwjia1TSYeyYnKQOIqCKMkZa6IBIwMZ6AHIDSWk//IR/UMiq4QGfb"
    "5CJFPYOTKSGXEU9dFPYbx+pZmq/Fq7QgFCM/I7M6jKZPwn+T4/RGLEg1YNRwQS/oQI/uu5iF9sIbtWO5XTRQ8q2ld4s3tEFflYdmELHXrt1UuFaC"
    "i82iTJZAgFPeIx9mHPb0U+I7iutfEPogIE5b/2T+qJhIBgeIQUVsJuo+uLdriFm1c7YwBMBTJWC9R2mL+2x6quavpx7u0zgHrmbDxFx6+nBl0DEZ"
    "xsY5h8AEDUVhyi2w+7aK9T/uh7Pz3/fH+AwXfWcA1cBueYYHX0Due6+3hRAHfOokXTbi27+YoS2AKuXDl2EibHedm5lb1Tg18V66dXtGsvpIn/OU"
    "WO2FphUGdtCMgZc51ahYTiN1m6Qqx+z1DFRM2BLw6HLxb1uT1OmDyucvCXIsMl4vNyyeIdJwstIbQrECxg1Fdow6jHrzKyJw/FKsYGSnyDRk++1j"
    "Tt3J46wz16S45XaMSDG8RMH7AKKeAX/lfJ0d247ajB4U8Hei1h1kclX/DAYp7A0KyoCG7Qt9hZGsxhsloT2eYohHEKshPDs2WU48WtuHwgXydkTA"
    "Bvx3b1ixLp2CEuQiMyy3jZpvDD8WGaqWqbQgnH/yQw=="
)


class Chain:
    """A random source that hashes a counter: the same for the same seed, different on every call."""

    def __init__(self, seed: bytes = b"seed") -> None:
        self.seed = seed

    def bytes(self, count: int) -> bytes:
        self.seed = hashlib.sha512(self.seed).digest()
        return (self.seed * (count // 64 + 1))[:count]


class Script:
    """A random source that plays back what the test wrote."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks = list(chunks)

    def bytes(self, count: int) -> bytes:
        return self.chunks.pop(0).rjust(count, b"\0")


@pytest.fixture(params=["gmpy2", "pow"])
def arithmetic(request, monkeypatch):
    """Both ways to raise to a power."""
    if request.param == "gmpy2":
        powmod = pytest.importorskip("gmpy2").powmod
        monkeypatch.setattr(srp6a, "_power_mod", lambda: powmod)
    else:
        monkeypatch.setattr(srp6a, "_power_mod", lambda: pow)


def test_the_multiplier_is_that_of_every_client():
    """k is H(pad(N) | pad(g)) with g = 2, not RFC 5054's 5."""
    assert f"{srp6a._MULTIPLIER:x}" == "538282c4354742d7cbbde2359fcf67f9f5b3a6b08791e5011b43b8a5b66d9ee6"


def test_the_modulus_is_rfc_3526_group_15():
    """N is 2^3072 - 2^3008 - 1 + 2^64 * ([2^2942 pi] + 1690314), of which the ends are easily checked."""
    digits = f"{srp6a.N:X}"
    assert (len(digits), digits[:16], digits[-16:]) == (768, "F" * 16, "F" * 16)
    assert digits[16:48] == "C90FDAA22168C234C4C6628B80DC1CD1"
    assert pow(7, srp6a.N - 1, srp6a.N) == 1


@pytest.mark.parametrize("name", VECTORS)
def test_the_server_agrees_with_the_table(name, arithmetic):
    """The server reaches the table's u, key and signature from the verifier alone."""
    vector = VECTORS[name]
    verifier = srp6a.make_verifier(POOL, vector.user, vector.password, vector.salt)
    exchange = srp6a.exchange_of(verifier, srp6a.client_public(CLIENT_SECRET), vector.b)
    key = srp6a.server_key(exchange)
    assert f"{exchange.scramble:064x}" == vector.u
    assert key.hex() == vector.key
    assert srp6a.signature(key, POOL, vector.user, vector.block, vector.timestamp) == vector.signature


@pytest.mark.parametrize("name", VECTORS)
def test_the_client_agrees_with_the_table(name, arithmetic):
    """The client reaches the table's x and key from the password."""
    vector = VECTORS[name]
    x = srp6a.secret_exponent(POOL, vector.user, vector.password, vector.salt)
    verifier = srp6a.make_verifier(POOL, vector.user, vector.password, vector.salt)
    exchange = srp6a.exchange_of(verifier, srp6a.client_public(CLIENT_SECRET), vector.b)
    key = srp6a.client_key(private=CLIENT_SECRET, server_public=exchange.public, exponent=x)
    assert f"{x:064x}" == vector.x
    assert key.hex() == vector.key


def test_the_table_covers_the_edges_it_names():
    """A short B has 766 digits, and A is the one that the table was made with."""
    vector = VECTORS["B one byte short"]
    verifier = srp6a.make_verifier(POOL, vector.user, vector.password, vector.salt)
    public = srp6a.client_public(CLIENT_SECRET)
    assert len(srp6a.to_hex(srp6a.exchange_of(verifier, public, vector.b).public)) == 766
    assert hashlib.sha256(srp6a.padded(public)).hexdigest().startswith("8ba9f4c1c9cecd03")


def test_the_published_sign_in_of_a_client_library_is_reproduced():
    """A real library's mock sign-in: its inner hash, its A and its signature come out, secret block of 1291 bytes included."""
    inner = hashlib.sha256(f"{srp6a.pool_name(PUBLISHED_POOL)}{PUBLISHED_USER}:Qwerty1!".encode()).hexdigest()
    private = int(PUBLISHED_A_SECRET, 16)
    x = srp6a.secret_exponent(PUBLISHED_POOL, PUBLISHED_USER, "Qwerty1!", PUBLISHED_SALT)
    key = srp6a.client_key(private=private, server_public=int(PUBLISHED_B, 16), exponent=x)
    block = base64.b64decode(PUBLISHED_BLOCK)
    signature = srp6a.signature(key, PUBLISHED_POOL, PUBLISHED_USER, block, "Tue Feb 1 03:04:05 UTC 2000")
    assert inner == "cd9896b264dc8dca270b0b74b039cf775ea70afb06bd253f5e0ffe7197224aa3"
    assert srp6a.to_hex(srp6a.client_public(private)).startswith("362be8c4c29e414549c30c6679ddbb55")
    assert len(block) == 1291
    assert signature == "RrSiIBQazZkaxHQf34oRro1qjzfEvwdP6/Avltpd34E="


def test_a_public_number_is_read_as_the_client_sent_it():
    """What is hashed into u is A itself, also where it is not reduced modulo N."""
    assert srp6a.public_from_hex(srp6a.to_hex(srp6a.N + 5), "SRP_A") == srp6a.N + 5


@pytest.mark.parametrize(
    ("number", "padded"),
    [(0, "00"), (1, "01"), (127, "7f"), (128, "0080"), (255, "00ff"), (256, "0100"), (2**15, "008000")],
)
def test_padding_is_that_of_javas_big_integer(number, padded):
    """Whole bytes, and one more where the first bit is set."""
    assert srp6a.padded(number).hex() == padded


@given(st.integers(min_value=0, max_value=2**3072))
def test_padding_keeps_the_number_and_its_sign(number):
    """Read as two's complement the bytes are the number again, and no byte is to spare."""
    padded = srp6a.padded(number)
    assert int.from_bytes(padded, "big", signed=True) == number
    assert len(padded) == 1 or padded[0] != 0 or padded[1] >= 128


@settings(max_examples=25, deadline=None)
@given(
    password=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
    guess=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
    seed=st.binary(min_size=1, max_size=8),
)
def test_both_sides_agree_if_and_only_if_the_password_is_right(password, guess, seed):
    """The two keys are equal for the same password and differ for any other."""
    random = Chain(seed)
    verifier = srp6a.make_verifier(POOL, "ann", password, srp6a.draw_salt(random))
    private = int.from_bytes(random.bytes(32), "big")
    exchange = srp6a.draw_exchange(verifier, srp6a.client_public(private), random)
    x = srp6a.secret_exponent(POOL, "ann", guess, verifier.salt)
    client = srp6a.client_key(private=private, server_public=exchange.public, exponent=x)
    assert (srp6a.server_key(exchange) == client) == (password == guess)


@pytest.mark.parametrize("multiple", [0, 1, 2])
def test_a_number_that_is_zero_modulo_n_is_refused(multiple):
    """A = 0 mod N makes S = 0 whatever the password (RFC 5054 section 2.5.4)."""
    verifier = srp6a.make_verifier(POOL, "ann", "Passw0rd!", "7f01")
    with pytest.raises(ProtocolError, match="modulo N"):
        srp6a.public_from_hex(srp6a.to_hex(multiple * srp6a.N), "SRP_A")
    with pytest.raises(ProtocolError, match="modulo N"):
        srp6a.draw_exchange(verifier, multiple * srp6a.N, Chain())


def test_a_client_refuses_a_server_that_sends_zero():
    """B = 0 mod N would let a false server choose the key."""
    with pytest.raises(ProtocolError):
        srp6a.client_key(private=5, server_public=srp6a.N, exponent=7)


@pytest.mark.parametrize(
    "text", ["", " ", "0x10", "1_0", "-1", "+1", "g", "1\n", "٣", "\ud800", "f" * 1025, None, 16, b"10", ["1"], True]
)
def test_anything_but_a_bounded_hexadecimal_number_is_refused(text):
    """What Python's int() would take and the protocol does not is refused, and so is what would take long to read."""
    with pytest.raises(ProtocolError, match="SRP_A"):
        srp6a.public_from_hex(text, "SRP_A")


def test_hexadecimal_is_read_in_either_case_up_to_the_limit():
    """Capital letters are fine; 1024 digits are fine."""
    assert srp6a.from_hex("aBcDeF", "SRP_A") == 0xABCDEF
    assert srp6a.from_hex("f" * 1024, "SRP_A") == 2**4096 - 1


@pytest.mark.parametrize(
    ("pool_id", "name"), [("us-east-1_Abc", "Abc"), ("us-east-1_Abc_def", "Abc"), ("local_1", "1")]
)
def test_the_hashed_part_of_a_pool_id_ends_at_the_second_underscore(pool_id, name):
    """Clients split at underscores and take the second part."""
    assert srp6a.pool_name(pool_id) == name


@pytest.mark.parametrize("pool_id", ["", "us-east-1", "us-east-1_"])
def test_a_pool_id_without_a_name_is_refused(pool_id):
    """There is nothing to hash."""
    with pytest.raises(ProtocolError, match="us-east-1_AbCdEf123"):
        srp6a.pool_name(pool_id)


def test_a_salt_never_begins_with_a_zero_byte():
    """A salt whose first byte is 00 is drawn again; one that begins 0x goes out without its zero digit."""
    assert srp6a.draw_salt(Script(b"\0" * 16, b"\x00" + b"\x01" * 15, b"\x0a" + b"\x02" * 15)) == "a" + "02" * 15


def test_b_is_drawn_again_until_u_begins_with_no_zero_byte():
    """The vector whose u begins 00 is skipped for the next number."""
    vector = VECTORS["u with a leading zero byte"]
    verifier = srp6a.make_verifier(POOL, vector.user, vector.password, vector.salt)
    random = Script(vector.b.to_bytes(26, "big"), (2**200 + 166).to_bytes(26, "big"))
    exchange = srp6a.draw_exchange(verifier, srp6a.client_public(CLIENT_SECRET), random)
    assert exchange.private == 2**200 + 166
    assert exchange.scramble >> 248 != 0


def test_a_broken_random_source_is_an_error_not_an_endless_loop():
    """A source of zeros gives no salt; one that always gives the same unusable b gives no exchange."""

    class Stuck:
        def __init__(self, number: int) -> None:
            self.number = number

        def bytes(self, count: int) -> bytes:
            return self.number.to_bytes(count, "big")

    vector = VECTORS["u with a leading zero byte"]
    verifier = srp6a.make_verifier(POOL, vector.user, vector.password, vector.salt)
    with pytest.raises(UnavailableError, match="Random"):
        srp6a.draw_salt(Stuck(0))
    with pytest.raises(UnavailableError, match="Random"):
        srp6a.draw_exchange(verifier, srp6a.client_public(CLIENT_SECRET), Stuck(vector.b))


def test_the_made_up_verifier_is_stable_and_looks_like_a_real_one():
    """Same key, pool and name: same salt. Any other: another. Its form is a drawn salt's."""
    made = srp6a.made_up_verifier(b"k" * 32, POOL, "nobody")
    others = {
        srp6a.made_up_verifier(b"k" * 32, POOL, "somebody").salt,
        srp6a.made_up_verifier(b"l" * 32, POOL, "nobody").salt,
        srp6a.made_up_verifier(b"k" * 32, "us-east-1_Other", "nobody").salt,
    }
    salts = [srp6a.made_up_verifier(b"k" * 32, POOL, f"user{i}").salt for i in range(2000)]
    assert srp6a.made_up_verifier(b"k" * 32, POOL, "nobody") == made
    assert made.salt not in others
    assert 0 < made.value < srp6a.N
    assert all(len(salt) in {31, 32} and salt[0] != "0" for salt in salts)
    assert {len(salt) for salt in salts} == {31, 32}


def test_no_password_fits_a_made_up_verifier():
    """Even the sign-in that the made-up salt invites fails."""
    verifier = srp6a.made_up_verifier(b"k" * 32, POOL, "nobody")
    exchange = srp6a.draw_exchange(verifier, srp6a.client_public(CLIENT_SECRET), Chain())
    x = srp6a.secret_exponent(POOL, "nobody", "", verifier.salt)
    client = srp6a.client_key(private=CLIENT_SECRET, server_public=exchange.public, exponent=x)
    assert srp6a.server_key(exchange) != client


def test_the_signature_covers_pool_user_block_and_timestamp():
    """Change any of the four and the signature changes; the time stamp is hashed as it was sent, whatever it says."""
    right = srp6a.signature(b"k" * 16, POOL, "ann", BLOCK, SATURDAY)
    assert right not in {
        srp6a.signature(b"k" * 16, "xx-test-1_Other", "ann", BLOCK, SATURDAY),
        srp6a.signature(b"k" * 16, POOL, "bob", BLOCK, SATURDAY),
        srp6a.signature(b"k" * 16, POOL, "ann", b"other", SATURDAY),
        srp6a.signature(b"k" * 16, POOL, "ann", BLOCK, "Sat Jan 01 00:00:00 UTC 2022"),
        srp6a.signature(b"l" * 16, POOL, "ann", BLOCK, SATURDAY),
    }
    expected = hmac.digest(b"k" * 16, b"AbCdEf123ann" + BLOCK + b"not a time", "sha256")
    assert srp6a.signature(b"k" * 16, POOL, "ann", BLOCK, "not a time") == base64.b64encode(expected).decode()


@pytest.mark.parametrize("claimed", ["", "AAAA", "☃", "\ud800", "a" * 10_000])
def test_an_odd_signature_is_a_wrong_signature(claimed):
    """Nothing that a client claims raises."""
    right = srp6a.signature(b"k" * 16, POOL, "ann", BLOCK, SATURDAY)
    assert not srp6a.same_signature(right, claimed)
    assert srp6a.same_signature(right, right)


def test_verifiers_are_compared_by_their_value():
    """The same password under the same salt is the same verifier; another password is not."""
    one = srp6a.make_verifier(POOL, "ann", "Passw0rd!", "7f01")
    assert srp6a.same_verifier(one, srp6a.make_verifier(POOL, "ann", "Passw0rd!", "7f01"))
    assert not srp6a.same_verifier(one, srp6a.make_verifier(POOL, "ann", "Passw0rd?", "7f01"))


def test_secrets_are_not_in_a_representation():
    """Neither the verifier nor b nor u can be read off a log line."""
    verifier = srp6a.make_verifier(POOL, "ann", "Passw0rd!", "7f01")
    exchange = srp6a.draw_exchange(verifier, srp6a.client_public(CLIENT_SECRET), Chain())
    shown = repr(exchange)
    assert not any(str(n) in shown for n in (verifier.value, exchange.private, exchange.scramble))
    assert set(srp6a.to_hex(exchange.public)) <= set(string.hexdigits.lower())


def test_power_is_pythons_own_without_gmpy2(monkeypatch):
    """The extra library is only a faster way to the same number."""

    def missing(name: str) -> None:
        raise ImportError(name)

    srp6a._power_mod.cache_clear()
    monkeypatch.setattr(srp6a, "import_module", missing)
    try:
        assert srp6a._power_mod() is pow
    finally:
        srp6a._power_mod.cache_clear()


def test_gmpy2_is_used_where_it_is_installed(monkeypatch):
    """An eightfold speed is not left lying."""

    class FakeGmpy2:
        @staticmethod
        def powmod(base: int, exponent: int, modulus: int) -> int:
            return 42

    srp6a._power_mod.cache_clear()
    monkeypatch.setattr(srp6a, "import_module", {"gmpy2": FakeGmpy2}.__getitem__)
    try:
        assert srp6a.client_public(5) == 42
    finally:
        srp6a._power_mod.cache_clear()
