"""Follows the imports of modules through their source, without running any of it: which files and distributions they need."""

from __future__ import annotations

import ast
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from attrs import field, frozen

from watchword.errors import ConfigurationError

_DATA_IS_NOT = {".py", ".pyc", ".pyi", ".so", ".typed"}


@frozen
class Needed:
    """What a function is made of: *files* by their path in the zip, and the top-level *packages* that others bring."""

    files: Mapping[str, Path]
    packages: frozenset[str]


@frozen
class _Import:
    module: str
    names: tuple[str, ...]
    optional: bool


def follow(roots: Iterable[str], *, data_of: Iterable[str] = ()) -> Needed:
    """Return what the modules *roots* need. Imports inside functions count; those for type checkers alone do not.

    Whatever lies in a site-packages folder is a distribution's and named, not followed; everything else is followed and
    becomes a file, with its packages. An import that is guarded by ``except ImportError`` may be missing. Of the modules
    *data_of*, the files beside them that are no Python come along (templates, fonts).

    Raises:
        ConfigurationError: if a module cannot be found, or is not written in Python.
    """
    walk = _Walk()
    for root in roots:
        walk.reach(root, "the build", optional=False)
    while walk.waiting:
        module, path = walk.waiting.pop()
        for each in _imports(module, path):
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
    _folders: dict[str, tuple[Path, ...] | None] = field(factory=dict[str, "tuple[Path, ...] | None"])

    def reach(self, module: str, importer: str, *, optional: bool) -> None:
        """Take *module* in, and the packages that it lies in."""
        top = module.partition(".")[0]
        if top in sys.stdlib_module_names or top in self.packages:
            return
        folders = self._where(top)
        if folders is None:
            if optional:
                return
            raise ConfigurationError(
                f"{importer} needs the module {top}, which is not installed: install it where you build"
            )
        if any(map(_installed, folders)):
            self.packages.add(top)
            return
        parts = module.split(".")
        for count in range(1, len(parts) + 1):
            found = _located(folders, parts[:count])
            if found is not None:
                self._take(".".join(parts[:count]), found)
            elif not _is_folder(folders, parts[:count]) and not optional:
                raise ConfigurationError(f"{importer} needs the module {module}, which is not there")

    def reach_member(self, module: str, name: str) -> None:
        """Take in what ``from module import name`` means, if that is a module."""
        top = module.partition(".")[0]
        folders = self._folders.get(top)
        if folders is not None and top not in self.packages:
            found = _located(folders, [*module.split("."), name])
            if found is not None:
                self._take(f"{module}.{name}", found)

    def gather_data(self, module: str) -> None:
        """Take in the files beside *module* that are no Python, with those in folders that are no packages."""
        for name, path in list(self.files.items()):
            if name in {module.replace(".", "/") + ".py", module.replace(".", "/") + "/__init__.py"}:
                home = PurePosixPath(name).parent
                if str(home) == ".":
                    return  # a module of its own, in a folder that holds the whole project
                for each in _data(path.parent):
                    self.files[str(home / each.relative_to(path.parent).as_posix())] = each

    def _take(self, module: str, path: Path) -> None:
        name = module.replace(".", "/") + ("/__init__.py" if path.name == "__init__.py" else path.suffix)
        if name not in self.files:
            self.files[name] = path
            self.waiting.append((module, path))

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


def _installed(folder: Path) -> bool:
    sites = {Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib")}
    folder = folder.resolve()
    return folder in sites or folder.name in {"site-packages", "dist-packages"}


def _located(folders: Iterable[Path], parts: list[str]) -> Path | None:
    for folder in folders:
        base = folder.joinpath(*parts)
        for path in (base / "__init__.py", base.with_name(base.name + ".py")):
            if path.is_file():
                return path
        compiled = sorted(base.parent.glob(base.name + ".*.so")) if base.parent.is_dir() else []
        if compiled:
            raise ConfigurationError(
                f"{'.'.join(parts)} is compiled for this machine ({compiled[0].name}): build a wheel of its distribution"
            )
    return None


def _is_folder(folders: Iterable[Path], parts: list[str]) -> bool:
    return any(folder.joinpath(*parts).is_dir() for folder in folders)


def _data(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name != "__pycache__" and not (path / "__init__.py").exists():
            yield from _data(path)
        elif path.is_file() and path.suffix not in _DATA_IS_NOT:
            yield path


def _imports(module: str, path: Path) -> Iterator[_Import]:
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except (SyntaxError, ValueError) as error:
        raise ConfigurationError(f"{path} is no Python: {error}") from error
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    yield from _in(tree.body, package, optional=False)


def _in(statements: Iterable[ast.AST], package: str, *, optional: bool) -> Iterator[_Import]:
    for each in statements:
        match each:
            case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
                yield from _in(each.orelse, package, optional=optional)
            case ast.Import():
                for alias in each.names:
                    yield _Import(alias.name, (), optional)
            case ast.ImportFrom():
                source = _absolute(each, package)
                yield _Import(source, tuple(alias.name for alias in each.names), optional)
            case ast.Try():
                guarded = optional or any(map(_catches_import_error, each.handlers))
                yield from _in(each.body, package, optional=guarded)
                yield from _in([*each.handlers, *each.orelse, *each.finalbody], package, optional=optional)
            case _:
                yield from _in(ast.iter_child_nodes(each), package, optional=optional)


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
