"""A page of the documentation, run as its reader would: its shell commands, its files, its Python, in its order.

A fenced block is run by its language:

* `sh`: by one shell for the whole page, so that `cd` and an activated environment last;
* `python`: by one Python for the whole page, that of the page's `.venv` if there is one;
* `python` or `toml` that begins with `# file: NAME`: written to that file, below the folder in which the page's first shell block ended;
* `output` and `console`: lines that hold these must have been printed by the blocks since the last one, in this order.

Other languages are only shown. A comment before a block says what its reader does beside it (`% …` in a page of the
documentation, `<!-- … -->` in README):

* `% installed: status 1`: the command ends with this status;
* `% installed: types 'text'`: the reader types this, with `\\n` for the return key;
* `% installed: mailbox URL`: the reader types the code of the first mail that comes to this mailbox while the block runs;
* `% installed: meanwhile NAME`: before the block, something happens that the test brings;
* `% installed: until 'text'`: the command goes on, in a terminal of its own, and is ready when it has printed this;
* `% installed: skip because …`: the block is for another machine, or waits for something that is not here.
"""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path, PurePosixPath

BLOCK = re.compile(r"((?:^(?:% |<!-- )installed: [^\n]*\n+)*)^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INVISIBLE = re.compile(r"^% invisible-code-block: python\n((?:^%.*\n)+)", re.MULTILINE)
DIRECTIVE = re.compile(r"^(?:% |<!-- )installed: (\w+)(?: (.*?))?(?: -->)?$", re.MULTILINE)
HEADING = re.compile(r"^## (.*)$", re.MULTILINE)
FILE = re.compile(r"\A# file: (\S+)\n")
HANGS = 600
"""Seconds after which a block is taken to hang; no command of a page needs a tenth of it."""

# Reads blocks as lines of JSON, runs each in one namespace, and says how it ended.
PYTHON = """\
import json, sys, traceback
space = {"__name__": "__main__"}
for line in sys.stdin:
    status = 0
    try:
        exec(compile(json.loads(line), "<page>", "exec"), space)
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stderr.flush()
    print(f"\\n%s {status}", flush=True)
"""


# Prints how many mails there are; or, given that number, waits for one more and prints the code in it.
MAIL = """\
import json, re, sys, time, urllib.request
def mails():
    with urllib.request.urlopen(sys.argv[1]) as answer:
        return json.load(answer)
if len(sys.argv) == 2:
    sys.exit(print(len(mails())))
while len(mails()) <= int(sys.argv[2]):
    time.sleep(0.1)
print(re.findall(r"(?<![0-9A-Za-z#])[0-9]{6,8}(?![0-9A-Za-z])", json.dumps(mails()[-1]))[0])
"""


class Block:
    """One fenced block: its language, its text, and what is said about it."""

    def __init__(self, line, section, language, text, said):
        self.line, self.section, self.language, self.text = line, section, language, text
        self.said = {word: (rest or "").strip().strip("'") for word, rest in DIRECTIVE.findall(said)}


def blocks_of(text, *, invisible=False):
    """The blocks of a page in their order, with the *invisible* ones of Python if they belong to the reader."""
    found = [(match.start(2), match.group(2), match.group(3), match.group(1)) for match in BLOCK.finditer(text)]
    if invisible:
        for match in INVISIBLE.finditer(text):
            source = "".join(line[2:] if line.startswith("% ") else line[1:] for line in match[1].splitlines(True))
            found.append((match.start(), "python", source, ""))
    return [
        Block(text.count("\n", 0, place) + 1, (["", *HEADING.findall(text, 0, place)])[-1], *rest)
        for place, *rest in sorted(found)
    ]


class Session:
    """A program that reads blocks from a pipe and marks the end of each."""

    def __init__(self, command, folder, environment, mark):
        self.mark, self.printed = mark, ""
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, line):
        """Send one line; return what was printed and the status."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        printed = []
        for each in self.process.stdout:
            if each.startswith(self.mark):
                return "".join(printed), int(each.split()[-1])
            printed.append(each)
        return "".join(printed), self.process.wait()

    def close(self):
        """End the program and all that it started."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()


class Reader:
    """Somebody who does what a page says, in a *folder*, with nothing set but *environment*."""

    def __init__(self, folder, environment, **meanwhile):
        self.folder, self.meanwhile = Path(folder), meanwhile
        self.environment = dict(environment)
        self.scripts = Path(tempfile.mkdtemp(prefix="watchword-blocks-"))
        self.mark = f"=={os.urandom(8).hex()}"
        self.shell = Session(["bash", "--noprofile", "--norc"], self.folder, self.environment, self.mark)
        self.python = None
        self.kept, self.printed, self.number = [], "", 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in (self.shell, self.python, *self.kept):
            if each is not None:
                each.close()

    def reads(self, page, *, sections=None, invisible=False):
        """Do what *page* says, or those of its *sections*; stop at the first thing that is not as it says."""
        self.number = 0
        text = Path(page).read_text(encoding="utf-8")
        headings = {line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")}
        assert set(sections or ()) <= headings, f"{page} has no section {set(sections or ()) - headings}"
        for block in blocks_of(text, invisible=invisible):
            if sections is not None and block.section not in sections:
                continue
            where = f"{Path(page).name}, line {block.line}"
            if "meanwhile" in block.said:
                self.meanwhile[block.said["meanwhile"]]()
            if "skip" not in block.said:
                self._does(block, where)

    def does(self, *commands):
        """Run *commands* in the shell of the page, one after the other."""
        for command in commands:
            self._shell(Block(0, "", "sh", command, ""), "the test")

    def told(self, script):
        """Return what *script* prints in the shell of the page, as it is now."""
        printed, status = self.shell.run(f"{script}; echo; echo {self.mark} $?")
        assert 0 == status, printed
        return printed.strip()

    def _does(self, block, where):
        named = FILE.match(block.text)
        if block.language in {"output", "console"}:
            self._saw(block.text, where)
        elif named and block.language in {"python", "toml"}:
            path = self.folder / PurePosixPath(named[1])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        elif block.language == "sh":
            self._shell(block, where)
        elif block.language == "python":
            if self.python is None:
                own = self.folder / ".venv" / "bin" / "python"
                program = [str(own) if own.exists() else "python", "-c", PYTHON % self.mark]
                self.python = Session(program, self.folder, self.environment, self.mark)
            self._ends(self.python.run(json.dumps(block.text)), 0, block, where)

    def _shell(self, block, where):
        self.number += 1
        script, typed = self._scratch("sh"), self._scratch("in")
        script.write_text(block.text, encoding="utf-8")
        typed.write_text(block.said.get("types", "").replace("\\n", "\n"), encoding="utf-8")
        if "until" in block.said:
            self._starts(block, script, where)
            return
        source_of = shlex.quote(str(typed))
        if "mailbox" in block.said:
            program = self.scripts / "mail.py"
            program.write_text(MAIL, encoding="utf-8")
            look = [sys.executable, str(program), block.said["mailbox"]]
            there = subprocess.run(look, capture_output=True, text=True, check=True).stdout.strip()
            source_of = f" <({shlex.join([*look, there])})"
        # One command that fails ends the block, as it would stop a reader.
        source = f"set -e; . {shlex.quote(str(script))} <{source_of}"
        folder = self.scripts / "folder"
        line = (
            f"( {source}; pwd >{folder}; unset status; {{ declare -p; declare -f; }} >{folder}.env ); status=$?; "
            f'if [ $status = 0 ]; then cd "$(cat {folder})"; . {folder}.env 2>/dev/null; fi; echo; echo {self.mark} $status'
        )
        self._ends(self.shell.run(line), int(block.said.get("status", "0")), block, where)
        if self.number == 1 and folder.exists():
            self.folder = Path(folder.read_text(encoding="utf-8").strip())

    def _starts(self, block, script, where):
        """Run a block that goes on, in a terminal of its own, and wait until it is ready."""
        place, environment = self.told("pwd"), self._exported()
        log = self._scratch("out")
        with log.open("w") as out:
            started = Session.__new__(Session)
            started.process = subprocess.Popen(
                ["bash", "--noprofile", "--norc", str(script)],
                cwd=place,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self.kept.append(started)
        end = time.monotonic() + HANGS
        while block.said["until"] not in log.read_text():
            assert started.process.poll() is None and time.monotonic() < end, (
                f"{where}: {block.text}\n{log.read_text()}"
            )
            time.sleep(0.05)
        self.printed += log.read_text()

    def _scratch(self, ending):
        return self.scripts / f"{len(self.kept)}-{self.number}.{ending}"

    def _exported(self):
        """The environment of the shell as it is now."""
        return dict(each.split("=", 1) for each in self.told("env -0 | tr '\\0' '\\001'").split("\x01") if "=" in each)

    def _ends(self, ended, status, block, where):
        printed, actual = ended
        self.printed += printed
        assert status == actual, f"{where}: status {actual}\n{block.text}\nprinted:\n{printed}"

    def _saw(self, expected, where):
        lines = iter(self.printed.splitlines())
        for line in expected.rstrip().splitlines():
            assert any(line.rstrip() in each for each in lines), f"{where}: {line!r} is not in\n{self.printed}"
        self.printed = ""
