"""Each built-in registers through the hook that third parties use, under the name of its entry point."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

import pluggy
import pytest

from watchword.contract import hookspecs


@pytest.mark.parametrize(
    "name",
    ["captcha", "email_otp", "magic_link", "passkey", "proof_of_work", "recovery_codes", "sms_otp", "srp", "totp"],
)
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
