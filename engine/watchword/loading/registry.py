"""Find installed kinds, couriers, ledgers and stores of credentials by name, and import only those that are named."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from attrs import field, frozen

from watchword.algebra.blocks import STEP_NAME
from watchword.contract import hookspecs
from watchword.contract.kinds import Factor, HostRun, Kind
from watchword.contract.members import ANY_CHANNEL, channel_of, missing_members
from watchword.contract.ports import AuditEvent, Courier, Ledger
from watchword.contract.powers import powers_of, proves_of, why_no_kind
from watchword.errors import ConfigurationError, WatchwordError

if TYPE_CHECKING:
    from importlib.metadata import Distribution

    import pluggy

    from watchword.contract.credentials import Credentials

KINDS_GROUP = "watchword"
COURIERS = "watchword.couriers"
LEDGERS = "watchword.ledgers"
CREDENTIALS = "watchword.credentials"
MAX_URL = 4096
"""Characters: what an address, a host, a user and a password take many times over."""

_WORDS = {KINDS_GROUP: "kind", COURIERS: "courier", LEDGERS: "ledger", CREDENTIALS: "store of credentials"}
_TABLES = f'write {{"watchword": {{"my_kind": "package.module"}}}}; there is {", ".join(_WORDS)}'
_ARGUMENTS = {KINDS_GROUP: (1,), COURIERS: (2, 3), LEDGERS: (2,), CREDENTIALS: (2,)}
"""How many arguments each hook's `register` takes."""
SCHEME = re.compile(r"[a-z][a-z0-9_-]{1,31}", re.ASCII)
_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)


@frozen
class InstalledKind:
    """A kind that is installed.

    Attributes:
        name: the kind's name.
        distribution: who brings it; empty where the modules were given.
        version: the distribution's.
        module: the module that registers it.
        proves: the factors that a right answer proves; None if a setting decides that.
        remedy: what to run so that everything it requires is there; empty if it is.
        error: why it cannot be loaded; empty if it can.
    """

    name: str
    distribution: str
    version: str
    module: str
    proves: frozenset[Factor] | None = frozenset()
    remedy: str = ""
    error: str = ""


@frozen
class _Entry:
    """One line of a table of entry points: *name* stands for *module*."""

    group: str
    name: str
    module: str
    origin: Distribution | None = field(default=None, eq=False)

    @property
    def distribution(self) -> str:
        return (self.origin.metadata["Name"] or "a nameless distribution") if self.origin else ""

    @property
    def version(self) -> str:
        return (self.origin.version or "") if self.origin else ""

    @property
    def source(self) -> str:
        return f"{self.distribution} {self.version}".strip() or self.module

    def __str__(self) -> str:
        return f"{_WORDS[self.group]} {self.name!r} of {self.source}"


class _Plugin:
    """A module in a plugin manager of its own, so that no plugin's hooks can wrap another's."""

    def __init__(self, manager: pluggy.PluginManager) -> None:
        self.manager = manager
        self.registered: dict[str, tuple[tuple[Any, ...], ...]] = {}

    def observe(self, event: AuditEvent) -> None:
        self.manager.hook.observe(event=event)


def _check_tables(registry: object, attribute: object, modules: Any) -> None:
    """Refuse what has not the form of the entry point tables in a pyproject.toml."""
    if modules is None:
        return
    if not isinstance(modules, Mapping):
        raise ConfigurationError(f"Registry(modules): modules is of type {type(modules).__name__}; {_TABLES}")
    for group, table in cast("Mapping[object, object]", modules).items():
        if group not in _WORDS:
            raise ConfigurationError(f"Registry(modules): {_shortened(group)} is no group; {_TABLES}")
        if not isinstance(table, Mapping):
            raise ConfigurationError(f"Registry(modules): {group!r} is of type {type(table).__name__}; {_TABLES}")
        for name, module in cast("Mapping[object, object]", table).items():
            if not isinstance(name, str) or not isinstance(module, str):
                raise ConfigurationError(
                    f"Registry(modules): {group!r} has {_shortened(name)} for {_shortened(module)}; {_TABLES}"
                )


@frozen
class Registry:
    """Finds plugins: among everything that is installed, or in *modules* alone.

    A host makes one and hands it on to whoever looks something up: two of them know nothing of each other.

    *modules* has the form of the entry point tables in a pyproject.toml: by group (``watchword``, ``watchword.couriers``,
    ``watchword.ledgers``, ``watchword.credentials``), modules by name. With it nothing is searched and
    `importlib.metadata`, slow to import, stays out: for a program whose parts are known when it is built.
    """

    modules: Mapping[str, Mapping[str, str]] | None = field(default=None, validator=_check_tables)
    _plugins: dict[ModuleType, _Plugin] = field(factory=dict[ModuleType, _Plugin], init=False, repr=False, eq=False)

    def find_kind(self, name: str) -> type[Kind | HostRun]:
        """Return the kind with the name *name*.

        Raises:
            ConfigurationError: if it is unknown, brought by two distributions, cannot be imported, or is no kind; the
                message names the distribution and the remedy.
        """
        return self._kind(self._entry(KINDS_GROUP, name))

    def find_courier(self, url: str) -> Courier:
        """Return the courier that *url* describes. No message ever shows the URL: it may hold a password.

        Raises:
            ConfigurationError: if there is none for the URL's scheme, or it cannot be made.
        """
        return cast("Courier", self._made(COURIERS, "register_couriers", url, Courier))

    def schemes(self, channel: str) -> tuple[str, ...]:
        """Return the schemes of the URLs for which a courier of *channel* is installed; this imports all couriers."""
        found: list[str] = []
        for entry in self._entries(COURIERS):
            with suppress(ConfigurationError):  # what cannot be loaded is told to who names it
                registered = self._registered(entry, "register_couriers")
                carried = {(*what, "email")[2] for what in registered if what[0] == entry.name}
                found += [entry.name] if carried & {channel, ANY_CHANNEL} else []
        return tuple(sorted(set(found)))

    def find_ledger(self, url: str) -> Ledger:
        """Return the ledger that *url* describes. No message ever shows the URL: it may hold a password.

        Raises:
            ConfigurationError: if there is none for the URL's scheme, or it cannot be made.
        """
        return cast("Ledger", self._made(LEDGERS, "register_ledgers", url, Ledger))

    def find_credentials(self, url: str) -> Credentials:
        """Return the store of credentials that *url* describes; it is never shown, and raises as of `find_ledger`."""
        from watchword.contract.credentials import Credentials  # noqa: PLC0415 - who only defines needs none

        return cast("Credentials", self._made(CREDENTIALS, "register_credentials", url, Credentials))

    def module_of(self, group: str, name: str) -> str:
        """Return the module that brings *name* of *group* (``watchword``, ``watchword.couriers``, …); it is not imported.

        Raises:
            ConfigurationError: as `find_kind`.
        """
        return self._entry(group, name).module

    def installed_kinds(self) -> tuple[InstalledKind, ...]:
        """Return every kind that is there, in the order of their names; this imports them all.

        One that cannot be used says so in its *error*: nothing is raised for it.
        """
        return tuple(self._described(entry) for entry in sorted(self._entries(KINDS_GROUP), key=lambda each: each.name))

    def observers(self, kinds: Iterable[Kind | HostRun] = ()) -> tuple[Callable[[AuditEvent], None], ...]:
        """Return the `observe` hooks of the plugins that have been loaded so far, and of those that bring *kinds*.

        A flow in Python imports its kinds by itself, and another registry may have read a flow in TOML: this registry has
        found neither. A plugin brings a kind if it registers that name and belongs to the package of the kind's class; for a
        plugin of another package nothing is imported.
        """
        for kind in kinds:
            self._take_up(kind)
        plugins = self._plugins.values()
        return tuple(each.observe for each in plugins if each.manager.hook.observe.get_hookimpls())

    def _take_up(self, kind: Kind | HostRun) -> None:
        """Load the plugin that brings *kind*, if one does."""
        home = type(kind).__module__
        with suppress(ConfigurationError):  # a flow in Python runs without any plugin: nothing about it is wrong
            # Most plugins are the module of the class. The metadata of all that is installed takes a third of a cold start.
            if self.modules is None and (plugin := hookspecs.own_plugin(kind)):
                if hookspecs.observes(plugin):
                    self._plugin(_Entry(KINDS_GROUP, kind.kind, home))
                return
            for entry in self._entries(KINDS_GROUP):
                if entry.name == kind.kind and entry.module.partition(".")[0] == home.partition(".")[0]:
                    self._plugin(entry)

    def _described(self, entry: _Entry) -> InstalledKind:
        facts = (entry.name, entry.distribution, entry.version, entry.module)
        try:
            kind = self._kind(self._entry(KINDS_GROUP, entry.name))
        except ConfigurationError as error:
            return InstalledKind(*facts, error=str(error))
        return InstalledKind(*facts, proves=proves_of(kind), remedy=powers_of(kind).remedy())

    def _entries(self, group: str) -> tuple[_Entry, ...]:
        if self.modules is None:
            return tuple(entry for entry in _scan(tuple(sys.path)) if entry.group == group)
        return tuple(_Entry(group, name, module) for name, module in self.modules.get(group, {}).items())

    def _entry(self, group: str, name: object) -> _Entry:
        word = _WORDS[group]
        if not isinstance(name, str) or not (STEP_NAME if group == KINDS_GROUP else SCHEME).fullmatch(name):
            meant = name[:32].strip().lower().replace("-", "_") if isinstance(name, str) else ""
            close = [each.name for each in self._entries(group) if meant and each.name == meant]
            hint = f"; did you mean {close[0]}?" if close else ": 2 to 32 of a-z, 0-9 and _, beginning with a letter"
            raise ConfigurationError(f"{_shortened(name)} is no name of a {word}{hint}")
        entries = self._entries(group)
        found = [entry for entry in entries if entry.name == name]
        if not found:
            raise ConfigurationError(
                f"no {word} {name!r} is installed{self._nearest(name, [each.name for each in entries])}"
            )
        if len(found) > 1:
            # Known from the metadata alone: neither has been imported, so neither can take the other's place.
            sources = " and ".join(sorted(each.source for each in found))
            raise ConfigurationError(f"{word} {name!r} is in {sources}: uninstall all but one of them")
        return found[0]

    def _nearest(self, name: str, known: list[str]) -> str:
        from difflib import get_close_matches  # noqa: PLC0415 - only for an error

        known = sorted(set(known))
        if not known and self.modules is not None:
            return "; the Registry that was given has none at all: name its module there"
        if not known:
            return "; nothing at all is: install Watchword itself with pip, a source tree alone has no entry points"
        close = get_close_matches(name, known, n=2)
        return (
            f"; did you mean {' or '.join(close)}? There is {', '.join(known)}"
            if close
            else f"; there is {', '.join(known)}"
        )

    def _plugin(self, entry: _Entry) -> _Plugin:
        if not _MODULE.fullmatch(entry.module):
            raise ConfigurationError(
                f"{entry}: {entry.module!r} is no module; its entry point reads "
                f'{entry.name} = "package.module", without an attribute behind it'
            )
        try:
            module = import_module(entry.module)
        except (Exception, SystemExit) as error:
            raise ConfigurationError(
                f"{entry}: {entry.module} cannot be imported ({_said(error)}); install what it needs, or report it there"
            ) from error
        if module not in self._plugins:
            self._plugins[module] = _Plugin(_managed(entry, module))
        return self._plugins[module]

    def _registered(self, entry: _Entry, hook: str) -> tuple[tuple[Any, ...], ...]:
        """Return what *hook* of the plugin registers; it is called once."""
        plugin = self._plugin(entry)
        if hook not in plugin.registered:
            taken: list[tuple[Any, ...]] = []

            def register(*what: Any) -> None:
                taken.append(what)

            try:
                getattr(plugin.manager.hook, hook)(register=register)
            except (Exception, SystemExit) as error:
                raise ConfigurationError(
                    f"{entry}: {entry.module}.{hook} failed ({_said(error)}); report it there"
                ) from error
            plugin.registered[hook] = tuple(taken)
        return plugin.registered[hook]

    def _kind(self, entry: _Entry) -> type[Kind | HostRun]:
        registered = self._registered(entry, "register_kinds")
        if len(registered) != 1 or len(registered[0]) != 1:
            raise ConfigurationError(
                f"{entry}: {entry.module} registers {len(registered)} kinds; it must call register(YourKind) once, in a "
                "function register_kinds(register) marked @watchword.hookimpl"
            )
        (kind,) = registered[0]
        if problem := why_no_kind(kind):
            raise ConfigurationError(f"{entry}: what {entry.module} registers is no kind: {problem}")
        if kind.kind != entry.name:
            raise ConfigurationError(
                f"{entry}: {entry.module} registers {_shortened(kind.kind)}; the entry point and the class's kind must be the same"
            )
        return cast("type[Kind | HostRun]", kind)

    def _made(self, group: str, hook: str, url: object, port: type[Any]) -> object:
        word = _WORDS[group]
        if isinstance(url, str) and len(url) > MAX_URL:
            raise ConfigurationError(f"the {word}'s URL has more than {MAX_URL} characters")
        scheme, colon, _ = url.partition(":") if isinstance(url, str) else ("", "", "")
        scheme = scheme.lower()  # RFC 3986 3.1: schemes are the same in either case
        if not colon or not SCHEME.fullmatch(scheme):
            names = ", ".join(f"{entry.name}:…" for entry in self._entries(group))
            raise ConfigurationError(
                f"the {word} is given by a URL that begins with a scheme: {names or '(none is installed)'}"
            )
        entry = self._entry(group, scheme)
        found = [what for what in self._registered(entry, hook) if len(what) in _ARGUMENTS[group] and what[0] == scheme]
        if len(found) != 1 or not callable(found[0][1]):
            raise ConfigurationError(
                f"{entry}: {entry.module} must call register({scheme!r}, factory) once, in a function {hook}(register) "
                "marked @watchword.hookimpl"
            )
        try:
            made = found[0][1](url)
        except WatchwordError:
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a factory of a stranger
            # Neither its text nor the error itself is passed on: both may quote the URL.
            raise ConfigurationError(
                f"{entry} cannot be made of its URL ({type(error).__name__}); check the URL against its documentation"
            ) from None
        if missing := missing_members(made, port):
            raise ConfigurationError(f"{entry}: what its factory makes is no {word}: it has no {', '.join(missing)}")
        if port is Courier and (said := channel_of(made)) != (channel := (*found[0], "email")[2]):
            told = f"carries {said[:40]!r} and is registered for {channel!r}"
            raise ConfigurationError(f"{entry} {told}: call register({scheme!r}, factory, {said[:40]!r})")
        return made


def expect_registry(given: object) -> Registry:
    """Return *given* if it is a `Registry`.

    Raises:
        ConfigurationError: if it is something else.
    """
    if not isinstance(given, Registry):
        raise ConfigurationError(f"registry= is of type {type(given).__name__}: pass a Registry, or leave it out")
    return given


@lru_cache(maxsize=4)
def _scan(path: tuple[str, ...]) -> tuple[_Entry, ...]:
    """Return the entry points of every distribution on *path*, which is `sys.path`."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - slow to import

    try:
        found = entry_points()
        return tuple(
            _Entry(group, each.name, each.value, each.dist) for group in _WORDS for each in found.select(group=group)
        )
    except Exception as error:
        raise ConfigurationError(
            f"the metadata of what is installed cannot be read ({_said(error)}); `pip check` may tell which package is broken"
        ) from error


def _managed(entry: _Entry, module: ModuleType) -> pluggy.PluginManager:
    import pluggy  # noqa: PLC0415 - a host of which no plugin observes needs none

    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    known = [name for name in dir(hookspecs) if manager.parse_hookspec_opts(hookspecs, name)]
    try:
        manager.register(module)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise ConfigurationError(
            f"{entry}: {entry.module} has a hook that Watchword does not: {' '.join(str(error).split())}; "
            f"there is {', '.join(known)}"
        ) from error
    return manager


def _shortened(value: object) -> str:
    return repr(value[:40]) if isinstance(value, str) else f"something of type {type(value).__name__}"


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
