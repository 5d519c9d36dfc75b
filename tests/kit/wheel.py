"""An environment in which Watchword is installed from its wheel, as by pip, with what else is installed here."""

import os
import subprocess
import sys
import venv
from pathlib import Path
from sysconfig import get_path


class Environment:
    """A fresh virtual environment below *folder*."""

    def __init__(self, folder):
        venv.create(folder, with_pip=False, symlinks=True)
        self.python = folder / "bin" / "python"
        (self.site,) = folder.glob("lib/python*/site-packages")
        for each in Path(get_path("purelib")).iterdir():
            # No .pth file and nothing editable: what is installed there is in the folder itself.
            if "watchword" not in each.name and each.suffix != ".pth":
                (self.site / each.name).symlink_to(each)

    def install(self, *wheels):
        """Install *wheels* by pip, without what they need."""
        command = [sys.executable, "-m", "pip", "--python", str(self.python), "install", "--quiet", "--no-deps"]
        command += ["--no-index", "--no-compile", "--disable-pip-version-check", *map(str, wheels)]
        subprocess.run(command, check=True, capture_output=True)

    def run(self, *words, folder, environment=()):
        """Run Python with *words* in *folder*; return the process that ended."""
        kept = {
            name: text for name, text in os.environ.items() if not name.startswith(("AWS_", "WATCHWORD_", "PYTHON"))
        }
        return subprocess.run(
            [str(self.python), *words],
            cwd=folder,
            env={**kept, "PYTHONDONTWRITEBYTECODE": "1", **dict(environment)},
            capture_output=True,
            text=True,
        )

    def watchword(self, *words, folder, environment=()):
        """Run a command of Watchword's."""
        return self.run("-m", "watchword_adapters", *words, folder=folder, environment=environment)


def made_wheel(project, folder):
    """Build the wheel of *project* into *folder*, without network; return its path."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=project, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path
