"""Rules of the kinds that come along, each of which a small change to the source once broke without a test that noticed."""

import pytest

from watchword import ConfigurationError
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
