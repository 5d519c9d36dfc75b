"""Load the three triggers from a flow or a module of handlers, and reload them when it changes."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, cast

from watchword.algebra.flow import Flow
from watchword.errors import ConfigurationError
from watchword.loading.flow_reference import find_flow
from watchword.loading.registry import Registry
from watchword_adapters.poolserver.fault_injection import FAULTY_TRIGGERS
from watchword_adapters.userpool.sign_in.triggers import AnyTrigger

if TYPE_CHECKING:
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec

Three = tuple[AnyTrigger, AnyTrigger, AnyTrigger]

_PREVIOUS = 8  # flows whose sign-ins may still be under way when the file has changed so often
_SPELLINGS = {
    "define": ("define", "define_auth_challenge", "define_handler"),
    "create": ("create", "create_auth_challenge", "create_handler"),
    "verify": ("verify", "verify_auth_challenge_response", "verify_auth_challenge", "verify_handler"),
}
_ONE_FOR_ALL = ("handler", "lambda_handler")


OTHER_TRIGGERS = {
    "pre_sign_up": ("pre_sign_up", "pre_signup"),
    "post_confirmation": ("post_confirmation",),
    "pre_token_generation": ("pre_token_generation", "pre_token"),
    "user_migration": ("user_migration", "migrate_user"),
}
"""The triggers beside the three, by the names of `LocalUserPool`, and how a module may spell them."""


class Source(Protocol):
    """Reads three triggers."""

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that were read."""
        ...

    @property
    def flow(self) -> Flow | None:
        """The flow that was read last, if it was one."""
        ...

    def read(self) -> Three:
        """Read the triggers, anew if they were read before.

        Raises:
            ConfigurationError: if they cannot be had.
        """
        ...


class FlowSource:
    """The triggers of the flow that *reference* names; *make* makes them of the flow and of those before it.

    Each reading has a registry of its own, which *make* is given: a module that changed brings other plugins.
    """

    def __init__(self, reference: str, make: Callable[[Flow, Sequence[Flow], Registry], Three]) -> None:
        self._reference = reference
        self._make = make
        self._before: list[Flow] = []
        self.flow: Flow | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """The TOML file, or the module's."""
        module = sys.modules.get(self._reference.partition(":")[0])
        file = getattr(module, "__file__", None)
        return (Path(file) if file else Path(self._reference),)

    def read(self) -> Three:
        """Read the flow. Sign-ins that began under an earlier one end under that one."""
        if self.flow is not None:
            _forget(self._reference.partition(":")[0])
        registry = Registry()
        flow = find_flow(self._reference, registry)
        before = [each for each in self._before if each.fingerprint != flow.fingerprint]
        made = self._make(flow, before, registry)
        if self.flow is None or self.flow.fingerprint != flow.fingerprint:
            self._before = [flow, *before][:_PREVIOUS]
        self.flow = flow
        return made


class HandlerSource:
    """Triggers that somebody wrote: one *reference*, or three of them for define, create and verify.

    A reference is a module, the path of a Python file, or either with ``:name`` behind it. A module has functions
    called define, create and verify (``define_auth_challenge`` and the like will do), or one called handler or
    lambda_handler that takes all three events.
    """

    def __init__(self, references: Sequence[str]) -> None:
        if len(references) not in {1, 3}:
            raise ConfigurationError("--triggers takes one module, or three with commas between: define,create,verify")
        self._references = tuple(references)
        self._modules: dict[str, ModuleType] = {}
        self.flow: Flow | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """The modules' files."""
        found = (getattr(module, "__file__", None) for module in self._modules.values())
        return tuple(Path(file) for file in found if file)

    def read(self) -> Three:
        """Import the modules, anew if they were imported before."""
        modules = {name: _imported(name, again=name in self._modules) for name, _ in map(_split, self._references)}
        references = self._references * (3 if len(self._references) == 1 else 1)
        made = [
            _trigger(modules[module], module, attribute, trigger)
            for trigger, (module, attribute) in zip(FAULTY_TRIGGERS, map(_split, references), strict=True)
        ]
        self._modules = modules
        return cast("Three", tuple(made))


def other_triggers(reference: str) -> dict[str, AnyTrigger]:
    """Return the triggers beside the three that a module, or the Python file at a path, has.

    Raises:
        ConfigurationError: if it cannot be imported, or has none of them.
    """
    module = _imported(reference, again=False, option="--other-triggers")
    found: dict[str, AnyTrigger] = {}
    for name, spellings in OTHER_TRIGGERS.items():
        given = next(
            (each for each in (getattr(module, spelling, None) for spelling in spellings) if callable(each)), None
        )
        if given is not None:
            found[name] = cast("AnyTrigger", given)
    if not found:
        names = ", ".join(spellings[0] for spellings in OTHER_TRIGGERS.values())
        raise ConfigurationError(f"--other-triggers {reference}: there is no function called {names}")
    return found


class Reloading:
    """Three triggers that are those of *source*, as of the last time that it could be read.

    *say* is told of each change: a sentence, and whether it went well.

    Raises:
        ConfigurationError: if the source cannot be read the first time.
    """

    def __init__(self, source: Source, say: Callable[[str, bool], None]) -> None:
        self._source = source
        self._say = say
        self._triggers = source.read()
        self._stamp = self._stamped()

    def triggers(self) -> Three:
        """Return the triggers; each call looks up what is there by then."""

        def latest(place: int) -> AnyTrigger:
            def trigger(event: Any, context: Any) -> Any:
                return self._triggers[place](event, context)

            return trigger

        return latest(0), latest(1), latest(2)

    def look(self) -> None:
        """Read the source anew if one of its files has changed; keep what there is if that fails, and say so."""
        stamp = self._stamped()
        if stamp == self._stamp or None in stamp:  # None: an editor is putting the file in place
            return
        self._stamp = stamp
        names = ", ".join(path.name for path in self._source.files)
        try:
            self._triggers = self._source.read()
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the file, the pool goes on
            why = str(error) if isinstance(error, ConfigurationError) else f"{type(error).__name__}: {error}"
            self._say(f"{names} has changed and cannot be used; the last good one goes on: {why}", False)
        else:
            self._say(f"{names} has changed and is in use", True)

    def _stamped(self) -> tuple[tuple[str, int, int, int] | None, ...]:
        return tuple(map(_stamp, self._source.files))


def _stamp(path: Path) -> tuple[str, int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return str(path), found.st_ino, found.st_mtime_ns, found.st_size


def _forget(module: str) -> None:
    """Have *module* imported anew by whoever imports it next, from its source."""
    found = sys.modules.pop(module, None)
    cached = getattr(found, "__cached__", None)
    if cached:
        # It may look up to date: it is told from its source by size and whole seconds.
        Path(cached).unlink(missing_ok=True)
    importlib.invalidate_caches()


def _split(reference: str) -> tuple[str, str]:
    module, _, attribute = reference.partition(":")
    return module, attribute


def _imported(name: str, *, again: bool, option: str = "--triggers") -> ModuleType:
    if again:
        _forget(_module_name(name))
    try:
        if not name.endswith(".py"):
            return importlib.import_module(name)
        spec = cast("ModuleSpec", spec_from_file_location(_module_name(name), name))
        module = module_from_spec(spec)
        sys.modules[spec.name] = module
        cast("Loader", spec.loader).exec_module(module)
    except (Exception, SystemExit) as error:
        raise ConfigurationError(
            f"{option} {name}: importing it failed: {type(error).__name__}: {str(error)[:200]}"
        ) from error
    return module


def _module_name(name: str) -> str:
    return f"watchword_triggers_{Path(name).stem}" if name.endswith(".py") else name


def _trigger(module: ModuleType, name: str, attribute: str, trigger: str) -> AnyTrigger:
    spellings = (attribute,) if attribute else (*_SPELLINGS[trigger], *_ONE_FOR_ALL)
    for spelling in spellings:
        found: Any = getattr(module, spelling, None)
        found = getattr(found, trigger, found)  # a value with the three of them, such as what `triggers` returns
        if callable(found):
            return cast("AnyTrigger", found)
    raise ConfigurationError(f"--triggers {name}: there is no function for {trigger}: name it {' or '.join(spellings)}")
