"""Built functions for tests: their modules loaded in this process, or in a folder as Lambda has them."""

import importlib.util
import io
import platform
import sys
import zipfile
from contextlib import contextmanager
from importlib.metadata import distribution

from watchword_adapters.deploy.archive import pack_zip
from watchword_adapters.deploy.build.define_zip import define_files


def define_archive(*flows):
    """Return the Define function of *flows*."""
    return pack_zip(define_files(flows))


def written(files, folder):
    """Write *files* below *folder*, as Lambda unpacks them; return the folder."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


@contextmanager
def built_define(folder, *flows, dialect=""):
    """Give the module `define` of the built function; afterwards this process knows none of its modules."""
    written(define_files(flows, dialect), folder)
    names = ("derivative", "define_handler", *(["passwordless_words"] if dialect else []), "define")
    before = {name: sys.modules.pop(name, None) for name in names}
    try:
        for name in names:
            spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
            sys.modules[name] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(sys.modules[name])
        yield sys.modules["define"]
    finally:
        for name in names:
            sys.modules.pop(name)
            if before[name] is not None:
                sys.modules[name] = before[name]


def unpacked(archive, folder):
    """Unpack *archive* into *folder*, as Lambda does; return the folder."""
    with zipfile.ZipFile(io.BytesIO(archive.data)) as opened:
        opened.extractall(folder)
    return folder


def wheel(folder, name, version, files, tag="py3-none-any"):
    """Write a wheel with *files* into *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    written = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n".encode(),
        f"{info}/RECORD": b"",
    }
    with zipfile.ZipFile(folder / f"{name}-{version}-{tag}.whl", "w") as made:
        for path, data in written.items():
            made.writestr(path, data)


def wheel_of(name, folder):
    """Write a wheel of the distribution *name*, as it is installed here, into *folder*.

    One with compiled code says that it runs on every Linux with this processor, so that a build for Lambda takes it; it runs here.
    """
    found = distribution(name)
    told = (found.read_text("WHEEL") or "").splitlines()
    python, abi, system = next(line.partition(": ")[2] for line in told if line.startswith("Tag: ")).split("-")
    tag = "py3-none-any" if system == "any" else f"{python}-{abi}-manylinux_2_17_{platform.machine()}"
    files = {
        str(each): each.locate().read_bytes()
        for each in found.files
        if each.suffix != ".pyc" and ".dist-info" not in str(each) and ".." not in each.parts
    }
    wheel(folder, name, found.version, files, tag)


def shelf_of(folder, *more):
    """Fill *folder* with wheels of what every function needs, and *more*, as it is installed here, so that no index is asked; return it."""
    for name in ("attrs", "pluggy", *more):
        wheel_of(name, folder)
    return folder
