"""Rules of the kinds that come along, each of which a small change to the source once broke without a test that noticed."""

import pytest

from watchword import ConfigurationError, User
from watchword.testing import create_request, recorded_codes, verify_request
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp

LONGEST_NAME = 255
"""Bytes of a file's name on every common file system; a longer one is an error of the operating system, not of a file."""


@pytest.mark.parametrize("path", ["x" * (LONGEST_NAME + 1), "x/" * 2048, "\ud800"], ids=["name", "path", "surrogate"])
def test_a_path_that_no_system_takes_is_no_folder_and_no_font(path):
    """A setting that cannot be a path is a ConfigurationError that names the setting, like one that is not there."""
    with pytest.raises(ConfigurationError, match=r"email_otp: templates: .* is no folder"):
        EmailOtp(templates=path).prepare()
    with pytest.raises(ConfigurationError, match=r"captcha: fonts: .* is no file"):
        Captcha(fonts=(path,)).prepare()


@pytest.mark.parametrize("path", ["", "x" * 4097])
def test_a_path_has_from_one_to_4096_characters(path):
    """Nothing, and more than any system takes, is refused when the kind is made."""
    with pytest.raises(ConfigurationError, match="templates must be the path"):
        EmailOtp(templates=path)
    with pytest.raises(ConfigurationError, match="fonts must be a list"):
        Captcha(fonts=(path,))
    EmailOtp(templates="x" * 4096)
    Captcha(fonts=("x" * 4096,))


def test_a_code_may_hold_every_digit():
    """Whatever its symbols are."""
    kind = EmailOtp(length=12)
    for number in range(10_000):
        with recorded_codes() as codes:
            challenge = kind.create(create_request(kind, claim=f"claim {number}"))
        if len(set(codes[0].text)) == 10:
            break
    assert kind.verify(verify_request(kind, challenge, codes[0].text, claim=f"claim {number}")).right is True


@pytest.mark.parametrize(("more", "sent"), [(0, 1), (1, 0)])
def test_an_address_has_at_most_254_characters(more, sent):
    """RFC 5321 4.5.3.1.3, less the brackets; a longer one gets no mail."""
    address = f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * (61 + more)}"
    assert 254 + more == len(address)
    kind = EmailOtp()
    user = User("ann", {"sub": "1", "email": address, "email_verified": "true"})
    assert sent == len(kind.create(create_request(kind, user=user)).messages)


@pytest.mark.parametrize("kind", [Captcha(), EmailOtp(length=8)], ids=["captcha", "email_otp"])
def test_an_answer_of_the_right_form_is_judged_by_what_it_says(kind):
    """Neither of them is malformed; one is right."""
    with recorded_codes() as codes:
        challenge = kind.create(create_request(kind))
    right = codes[0].text
    wrong = right[1:] + right[:1] if len(set(right)) > 1 else right[:-1] + ("A" if right[-1] != "A" else "C")
    assert kind.verify(verify_request(kind, challenge, wrong)).right is False
    assert kind.verify(verify_request(kind, challenge, right)).right is True


@pytest.mark.parametrize("kind", [Captcha(), EmailOtp()], ids=["captcha", "email_otp"])
def test_the_longest_text_may_be_an_answer(kind):
    """1,024 characters, most of them spaces between those that count; one more is none."""
    with recorded_codes() as codes:
        challenge = kind.create(create_request(kind))
    right = codes[0].text
    assert kind.verify(verify_request(kind, challenge, right + " " * (1024 - len(right)))).right is True
    assert kind.verify(verify_request(kind, challenge, right + " " * (1025 - len(right)))).right is False
