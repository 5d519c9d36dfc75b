"""Follows the imports of modules through their source, without running any of it: which files and distributions they need."""

from __future__ import annotations

import ast
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from importlib import import_module
from importlib.metadata import packages_distributions, requires
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from attrs import field, frozen

from watchword.errors import ConfigurationError

OWN_PACKAGES = frozenset({"watchword", "watchword_plugins", "watchword_adapters"})
"""Watchword's packages: followed wherever they are installed, so that a function holds the modules that it reaches and no more."""

_DATA = frozenset({".txt", ".html"})
"""The files beside Watchword's own kinds that go along: the templates of mails."""


@frozen
class Needed:
    """What a function is made of: *files* by their path in the zip, and the top-level *packages* that others bring."""

    files: Mapping[str, Path]
    packages: frozenset[str]


@frozen
class Import:
    """One import statement: of *module*, or of *names* from it.

    *optional* if its failure is caught; *certain* if it runs whenever the module that it stands in is loaded.
    """

    module: str
    names: tuple[str, ...]
    optional: bool
    certain: bool


def follow(roots: Iterable[str], *, data_of: Iterable[str] = ()) -> Needed:
    """Return what the modules *roots* need. Imports inside functions count; those for type checkers alone do not.

    Watchword's own modules, and those that are in no site-packages folder, are followed and become files. What else is in
    a site-packages folder is a distribution's, and named. A distribution that needs Watchword is followed too, for what
    it reaches. An import that is guarded by ``except ImportError`` may be missing. Of the modules *data_of*, the
    templates beside Watchword's own come along; no other file does.

    Raises:
        ConfigurationError: if a module cannot be found, or is not written in Python.
    """
    walk = _Walk()
    for root in roots:
        walk.reach(root, "the build", optional=False)
    while walk.waiting:
        module, path = walk.waiting.pop()
        for each in read_imports(module, path.read_bytes(), is_package=path.name == "__init__.py", where=str(path)):
            walk.reach(each.module, module, optional=each.optional)
            for name in each.names:
                walk.reach_member(each.module, name)
    for module in data_of:
        walk.gather_data(module)
    return Needed(dict(sorted(walk.files.items())), frozenset(walk.packages))


@frozen
class _Walk:
    files: dict[str, Path] = field(factory=dict[str, Path])
    packages: set[str] = field(factory=set[str])
    waiting: list[tuple[str, Path]] = field(factory=list[tuple[str, Path]])
    _seen: set[str] = field(factory=set[str])
    _folders: dict[str, tuple[Path, ...] | None] = field(factory=dict[str, "tuple[Path, ...] | None"])

    def reach(self, module: str, importer: str, *, optional: bool) -> None:
        """Take *module* in, and the packages that it lies in."""
        top = module.partition(".")[0]
        if top in sys.stdlib_module_names:
            return
        folders = self._where(top)
        if folders is None:
            if optional:
                return
            raise ConfigurationError(
                f"{importer} needs the module {top}, which is not installed: install it where you build"
            )
        if _is_distributed(top, folders):
            self.packages.add(top)
            if not _needs_watchword(top):
                return
        parts = module.split(".")
        for count in range(1, len(parts) + 1):
            found = self._located(folders, parts[:count])
            if found is not None:
                self._take(".".join(parts[:count]), found)
            elif top not in self.packages and not _is_folder(folders, parts[:count]) and not optional:
                raise ConfigurationError(f"{importer} needs the module {module}, which is not there")

    def reach_member(self, module: str, name: str) -> None:
        """Take in what ``from module import name`` means: a module, or the one that the engine takes *name* from."""
        top = module.partition(".")[0]
        folders = self._folders.get(top)
        if folders is not None and (top not in self.packages or _needs_watchword(top)):
            found = self._located(folders, [*module.split("."), name])
            home = _home_of(module, name)
            if found is not None:
                self._take(f"{module}.{name}", found)
            elif home:
                self.reach(home, module, optional=False)

    def gather_data(self, module: str) -> None:
        """Take in the templates beside *module*, if it is one of Watchword's own kinds."""
        if module.partition(".")[0] not in OWN_PACKAGES:
            return
        for name, path in list(self.files.items()):
            if name == module.replace(".", "/") + ".py":
                for each in _data(path.parent):
                    self.files[str(PurePosixPath(name).parent / each.relative_to(path.parent).as_posix())] = each

    def _take(self, module: str, path: Path) -> None:
        if module in self._seen:
            return
        self._seen.add(module)
        top = module.partition(".")[0]
        if top not in self.packages and top not in OWN_PACKAGES:
            _refuse_links(module, path)
        self.waiting.append((module, path))
        if module.partition(".")[0] not in self.packages:
            self.files[module.replace(".", "/") + ("/__init__.py" if path.name == "__init__.py" else path.suffix)] = (
                path
            )

    def _located(self, folders: Iterable[Path], parts: list[str]) -> Path | None:
        for folder in folders:
            base = folder.joinpath(*parts)
            for path in (base / "__init__.py", base.with_name(base.name + ".py")):
                if path.is_file():
                    return path
            if parts[0] in self.packages:
                continue  # compiled or not: it comes with its distribution
            compiled = sorted(base.parent.glob(base.name + ".*.so")) if base.parent.is_dir() else []
            if compiled:
                raise ConfigurationError(
                    f"{'.'.join(parts)} is compiled for this machine ({compiled[0].name}): build a wheel of its distribution"
                )
        return None

    def _where(self, top: str) -> tuple[Path, ...] | None:
        if top not in self._folders:
            try:
                spec = find_spec(top)
            except (ImportError, ValueError):
                spec = None
            if spec is None:
                self._folders[top] = None
            elif spec.submodule_search_locations is not None:
                self._folders[top] = tuple(Path(each).parent for each in spec.submodule_search_locations)
            else:
                self._folders[top] = (Path(spec.origin or "").parent,)
        return self._folders[top]


def _home_of(module: str, name: str) -> str:
    """Return the module from which *module*, a package of the engine, takes *name* when it is asked for; or nothing."""
    if module.partition(".")[0] != "watchword":
        return ""
    homes: Mapping[str, str] = vars(import_module(module)).get("_HOMES", {})
    return homes.get(name, "")


def _refuse_links(module: str, path: Path) -> None:
    """Refuse *path* of the project's own *module* if it, or a folder of its package, is a link: it may lead anywhere."""
    levels = module.count(".") + 1 + (path.name == "__init__.py")
    for each in [path, *path.parents][:levels]:
        if each.is_symlink():
            raise ConfigurationError(f"the module {module} is shipped from {each}, which is a link: put the file there")


def _is_distributed(top: str, folders: Iterable[Path]) -> bool:
    """Say whether a distribution brings the package *top*: it is in a site-packages folder, and not Watchword's own."""
    if top in OWN_PACKAGES:
        return False
    sites = {Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib")}
    resolved = [folder.resolve() for folder in folders]
    return any(folder in sites or folder.name in {"site-packages", "dist-packages"} for folder in resolved)


def _needs_watchword(top: str) -> bool:
    """Say whether the distribution that brings *top* says that it needs Watchword: a plugin, whose imports lead back here."""
    return top in _plugins(tuple(sys.path))


@lru_cache(maxsize=4)
def _plugins(path: tuple[str, ...]) -> frozenset[str]:
    """Return the packages of distributions on *path*, which is `sys.path`, that say they need Watchword."""
    return frozenset(
        top
        for top, names in packages_distributions().items()
        if any(re.match(r"watchword(?![\w.-])", line) for name in names for line in requires(name) or ())
    )


def _is_folder(folders: Iterable[Path], parts: list[str]) -> bool:
    return any(folder.joinpath(*parts).is_dir() for folder in folders)


def _data(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.is_symlink():
            continue
        if path.is_dir() and not (path / "__init__.py").exists():
            yield from _data(path)
        elif path.is_file() and path.suffix in _DATA:
            yield path


def read_imports(module: str, source: bytes, *, is_package: bool, where: str) -> tuple[Import, ...]:
    """Return the imports in the *source* of *module*, except those for type checkers alone; *where* is its file's name.

    Raises:
        ConfigurationError: if it is no Python.
    """
    try:
        return _parsed(source, module if is_package else module.rpartition(".")[0])
    except (SyntaxError, ValueError) as error:
        raise ConfigurationError(f"{where} is no Python: {error}") from error


@lru_cache(maxsize=2048)  # two functions are built of the same modules, and each is looked through twice
def _parsed(source: bytes, package: str) -> tuple[Import, ...]:
    return tuple(_in(ast.parse(source).body, package, optional=False, certain=True))


def _in(statements: Iterable[ast.AST], package: str, *, optional: bool, certain: bool) -> Iterator[Import]:
    for each in statements:
        match each:
            case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
                yield from _in(each.orelse, package, optional=optional, certain=certain)
            case ast.Import():
                for alias in each.names:
                    yield Import(alias.name, (), optional, certain)
            case ast.ImportFrom():
                source = _absolute(each, package)
                yield Import(source, tuple(alias.name for alias in each.names), optional, certain)
            case ast.Try():
                guarded = optional or any(map(_catches_import_error, each.handlers))
                yield from _in(each.body, package, optional=guarded, certain=certain)
                yield from _in(each.handlers, package, optional=optional, certain=False)
                yield from _in([*each.orelse, *each.finalbody], package, optional=optional, certain=certain)
            case ast.If() | ast.Match() | ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from _in(ast.iter_child_nodes(each), package, optional=optional, certain=False)
            case _:
                yield from _in(ast.iter_child_nodes(each), package, optional=optional, certain=certain)


def _absolute(statement: ast.ImportFrom, package: str) -> str:
    if not statement.level:
        return statement.module or ""
    above = package.split(".")
    home = above[: len(above) - statement.level + 1]
    return ".".join([*home, *([statement.module] if statement.module else [])])


def _catches_import_error(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    named = {each.id for each in ast.walk(handler.type) if isinstance(each, ast.Name)}
    return bool(named & {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
