"""What the users in the attacks are given, and by which attributes messages reach them."""

import pytest

from watchword_adapters.attacks.devices.user_addresses import address_names, addresses_of, attributes_given


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {}),
        ({"custom:tier": "gold"}, {"custom:tier": "gold"}),
        ({"custom:push": "{user}-{user}"}, {"custom:push": "ann-ann"}),
        (lambda name: {"custom:push": f"{name}{{user}}"}, {"custom:push": "ann{user}"}),
    ],
)
def test_a_value_may_hold_the_name_of_its_user(given, expected):
    """A function says itself what each user has."""
    assert expected == attributes_given(given, "ann")


def test_what_differs_between_users_is_an_address():
    """Beside the mailbox and the telephone; what all users have is none."""
    given = {"custom:push": "{user}-device", "custom:tier": "golden eagle"}
    assert ("email", "phone_number", "custom:push") == address_names(given)
    own = {**attributes_given(given, "ann"), "email": "ann@example.com", "phone_number": "none"}
    assert ["ann@example.com", "ann-device"] == list(addresses_of(given, own))


def test_a_short_text_is_no_address_that_is_looked_for():
    """It would be found in many a text by chance."""
    assert [] == list(addresses_of({"custom:push": "{user}"}, {"custom:push": "ann"}))
