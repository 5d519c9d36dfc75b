"""Each built-in registers through the hook that third parties use, under the name of its entry point."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

import attrs
import pluggy
import pytest

from watchword import ConfigurationError, Registry
from watchword.contract import hookspecs
from watchword.loading.flow_file import make_kind
from watchword_plugins.passkey import Passkey
from watchword_plugins.sms_otp import SmsOtp

KINDS = ["captcha", "email_otp", "magic_link", "passkey", "proof_of_work", "recovery_codes", "sms_otp", "srp", "totp"]


@pytest.mark.parametrize("name", KINDS)
def test_a_setting_that_is_needed_is_named_in_python_as_in_toml(name: str) -> None:
    """By one error, in the same words."""
    kind: Any = Registry().find_kind(name)
    needed = [each.alias for each in attrs.fields(kind) if each.init and each.default is attrs.NOTHING]
    if not needed:
        kind()
        return
    said = []
    for make in (kind, lambda: make_kind(kind, {})):
        with pytest.raises(ConfigurationError) as caught:
            make()
        said.append(str(caught.value))
    assert [f"{name} needs {', '.join(needed)}"] * 2 == said


def test_a_setting_may_be_given_by_its_place() -> None:
    """Then it is not missing."""
    assert Passkey("example.com", ("https://example.com",)).rp_id == "example.com"
    with pytest.raises(ConfigurationError, match=r"^passkey needs origins$"):
        Passkey("example.com")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="colour"):
        SmsOtp(countries=("+49",), colour="red")  # type: ignore[call-arg]


@pytest.mark.parametrize("name", KINDS)
def test_a_module_registers_its_one_kind(name: str) -> None:
    """The module of an entry point registers exactly one kind, named as the entry point."""
    (entry,) = [one for one in entry_points(group="watchword") if one.name == name]
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(import_module(entry.value))
    manager.check_pending()
    kinds: list[Any] = []
    manager.hook.register_kinds(register=kinds.append)
    assert [kind.kind for kind in kinds] == [name]
