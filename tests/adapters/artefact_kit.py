"""Built functions for tests: their modules loaded in this process, or in a folder as Lambda has them."""

import importlib.util
import sys
from contextlib import contextmanager

from watchword_adapters.deploy.archive import pack
from watchword_adapters.deploy.define_zip import define_files


def define_archive(*flows):
    """Return the Define function of *flows*."""
    return pack(define_files(flows))


def written(files, folder):
    """Write *files* below *folder*, as Lambda unpacks them; return the folder."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


@contextmanager
def built_define(folder, *flows):
    """Give the module `define` of the built function; afterwards this process knows none of its modules."""
    written(define_files(flows), folder)
    names = ("derive", "define_handler", "define")
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
