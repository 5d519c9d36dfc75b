"""A built program finds its plugins in a table that was made when it was built."""

import pytest

from watchword import ConfigurationError, loader
from watchword_plugins.email_otp import EmailOtp


def test_a_baked_table_is_all_there_is(monkeypatch):
    """`bake` has the module's functions look at the given modules alone; what is installed besides is not there any more."""
    monkeypatch.setattr(loader, "_installed", loader._installed)
    made = loader.bake({"watchword": {"email_otp": "watchword_plugins.email_otp"}})
    assert EmailOtp is loader.find_kind("email_otp") is made.find_kind("email_otp")
    with pytest.raises(ConfigurationError, match="captcha"):
        loader.find_kind("captcha")
    with pytest.raises(ConfigurationError, match="courier"):
        loader.find_courier("console:")
