"""X: the supply chain: kinds that nobody named, files that must not be shipped, versions that are not pinned."""

from __future__ import annotations

import base64
import itertools
import json
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from watchword.errors import ConfigurationError
from watchword.loading.registry import KINDS_GROUP, Registry
from watchword_adapters.attacks.arena.attacked_host import Arena
from watchword_adapters.attacks.family import Cases, families_in, family
from watchword_adapters.deploy.archive import pack_zip
from watchword_adapters.deploy.build import define_zip
from watchword_adapters.deploy.packages.distributions import pinned
from watchword_adapters.deploy.packages.forbidden_files import forbidden_name, included, refuse_secrets
from watchword_adapters.deploy.target import PYTHONS, Target

_STRANGER = "watchword_attack_stranger"
_SHIPPED = ("email_otp", "captcha", "srp")
_HARD = frozenset({"attrs", "pluggy"})
_SECRET_NAMES = (
    *(".env", ".env.production", "prod.env", ".envrc", ".git/config", ".hg/store", ".aws/credentials", ".netrc"),
    *(".ssh/id_rsa", "id_ed25519", "id_ecdsa.old", "server.key", "cert.pem", "store.p12", "ledger.sqlite", ".pypirc"),
)
_OUTSIDE = (
    *("/etc/passwd", "../x.py", "a/../../x.py", "..", "", "C:\\x.py", "C:x.py", "..\\x.py", "a\\b.py", "a\0.py"),
    *("a\n.py", "\u202ea.py", "//host/x.py"),
)
_SECRET_TEXTS = (
    b"-----BEGIN RSA PRIVATE KEY-----\nMII",
    b"-----BEGIN PRIVATE KEY-----\nMII",
    b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl",
    b"id = 'AKIA" + b"A2B3" * 4 + b"'",
    b"aws_secret_access_key = " + b"a1B/" * 10,
)


def _refused(act: Callable[[], object]) -> bool:
    try:
        act()
    except ConfigurationError:
        return True
    return False


@contextmanager
def _installed(modules: Mapping[str, str], entries: str = "", **info: str) -> Generator[None]:
    """Install a distribution of *modules* for the time being, with the *entries* of kinds and more files of metadata."""
    with TemporaryDirectory(prefix="watchword-attack-") as folder:
        described = Path(folder) / f"{_STRANGER}-1.0.dist-info"
        described.mkdir()
        metadata = f"Metadata-Version: 2.1\nName: {_STRANGER}\nVersion: 1.0\n{info.pop('needs', '')}"
        (described / "METADATA").write_text(metadata, encoding="utf-8")
        (described / "entry_points.txt").write_text(f"[{KINDS_GROUP}]\n{entries}\n", encoding="utf-8")
        (described / "top_level.txt").write_text("\n".join(modules), encoding="utf-8")
        for name, text in info.items():
            (described / f"{name}.json").write_text(text, encoding="utf-8")
        for name, source in modules.items():
            (Path(folder) / f"{name}.py").write_text(source, encoding="utf-8")
        sys.path.insert(0, folder)
        try:
            yield
        finally:
            sys.path.remove(folder)
            for name in modules:
                sys.modules.pop(name, None)


@family("X-05", "kinds that are installed and that nobody named")
def unlisted(arena: Arena) -> Cases:
    """Not even imported; and one that takes the name of another takes nothing else."""
    bomb = f"{_STRANGER}_bomb"
    for shadowed in (*_SHIPPED, "riddle", "bomb"):
        with _installed({bomb: "raise SystemExit('imported')"}, f"{shadowed} = {bomb}\nunasked = {bomb}"):
            for name in _SHIPPED:
                refused = _refused(partial(Registry().find_kind, name))
                yield bomb in sys.modules
                yield refused is not (name == shadowed)
            for name in ("unasked", "unaskt", bomb, "Unasked", "unasked:x"):
                yield not _refused(partial(Registry().find_kind, name))


@family("X-09", "secrets and paths in what is built")
def shipped(arena: Arena) -> Cases:
    """Nothing by the name or content of a secret, no path that leads out, the same bytes every time."""
    try:
        files = define_zip.define_files([arena.given])
    except ConfigurationError:
        files = {"define.py": b""}
    yield pack_zip(files).data != pack_zip(dict(reversed(files.items()))).data
    refuse_secrets(files)
    for name in files:
        yield bool(forbidden_name(name))
    for folder, name in itertools.product(("", "templates/", "a/b/"), _SECRET_NAMES):
        for spelt in (folder + name, folder + name.upper()):
            yield not _refused(partial(refuse_secrets, {spelt: b""}))
    for name in _OUTSIDE:
        yield not _refused(partial(pack_zip, {name: b"x"}))
    yield not _refused(partial(pack_zip, {"a.py": b"", "A.py": b""}))
    key, older = base64.b64encode(arena.key), base64.b64encode(arena.key[::-1])
    told = {"WATCHWORD_KEY": f"{key.decode()},{older.decode()}"}
    for text in (*_SECRET_TEXTS, b"WATCHWORD_KEY=" + key):
        for around in (b"", b"x" * 5000 + b"\n", b'{"a": "'):
            yield not _refused(partial(refuse_secrets, {"settings.py": around + text}, {}))
    for secret in (key, older):
        yield not _refused(partial(refuse_secrets, {"settings.py": b"k = '" + secret + b"'"}, told))
    yield from _links()


def _links() -> Cases:
    with TemporaryDirectory(prefix="watchword-attack-") as folder:
        inside, outside = Path(folder) / "project", Path(folder) / "elsewhere"
        for each in (inside, outside):
            each.mkdir()
        (outside / "secret.txt").write_text("x", encoding="utf-8")
        try:
            (inside / "link.txt").symlink_to(outside / "secret.txt")
            (inside / "linked").symlink_to(outside)
        except OSError:  # where links are a privilege
            return
        for path in (inside / "link.txt", inside / "linked", inside, outside, inside / ".." / "elsewhere"):
            yield not _refused(partial(dict[str, bytes], included(path, inside)))


@family("X-10", "versions that nobody fixed, packages from elsewhere")
def unpinned(arena: Arena) -> Cases:
    """What is shipped comes from an index, at one version; the core needs two packages and no other."""
    try:
        needed = requires("watchword") or ()
    except PackageNotFoundError:
        needed = ()
    for line in needed:
        yield "extra ==" not in line and not any(line.startswith(name) for name in _HARD)
    target = Target("x86_64", PYTHONS[0])
    module = f"{_STRANGER}_module"
    origins: tuple[dict[str, Any], ...] = (
        {"url": "https://example.com/x.git", "vcs_info": {"vcs": "git", "commit_id": "a" * 40}},
        {"url": "file:///x", "dir_info": {"editable": True}},
        {"url": "file:///x.whl", "archive_info": {}},
    )
    needs = (
        "watchword-attack-nowhere",
        "attrs<1",
        "attrs @ https://example.com/attrs.whl",
        "attrs @ git+https://example.com/attrs.git",
    )
    planted = [{"direct_url": json.dumps(origin)} for origin in origins]
    planted += [{"needs": f"Requires-Dist: {need}\n"} for need in needs]
    for told in planted:
        with _installed({module: ""}, **told):
            yield not _refused(partial(pinned, {module}, target, without=()))
    yield not _refused(partial(pinned, {f"{_STRANGER}_nobodys"}, target, without=()))


FAMILIES = families_in(globals())
