"""Every regular expression of the three packages, and hostile texts for them."""

import ast
import importlib
import pkgutil
import re
import time
from pathlib import Path

import watchword
import watchword_adapters
import watchword_plugins

PACKAGES = (watchword, watchword_plugins, watchword_adapters)
METHODS = ("fullmatch", "match", "search", "finditer", "sub", "split", "findall")
SIZES = (20, 200, 10_000)
LARGE = 100_000

PREFIXES = (
    *(
        "",
        "a",
        "a@",
        "data:image/png;base64,",
        "-----BEGIN ",
        "AKIA",
        "aws_secret_access_key=",
        "WATCHWORD_KEY=",
        "127.0",
    ),
    *("3.0123456789abcdef.", "Mon Nov 23 ", "BAD_REQUEST (ref ", "en", "a:b", "1/", "<", '"""', "'''", "https://"),
)
UNITS = (
    *(
        "a",
        "A",
        "0",
        "1",
        "_",
        "-",
        ".",
        "@",
        " ",
        "\n",
        "\t",
        "\\",
        '"',
        "'",
        "[",
        "(",
        "<",
        ":",
        ";",
        "=",
        "/",
        "#",
        "\0",
        "é",
    ),
    *(
        "a.",
        "a-",
        "-a",
        "a@",
        "a:",
        "1.",
        "a b",
        " \n",
        '\\"',
        '""',
        "a_",
        "A-",
        "aA0",
        "%41",
        "\r\n",
        "a;a=",
        "-----BEGIN ",
    ),
)
SUFFIXES = ("", "!")


def modules():
    """Give the modules of the three packages that can be imported here."""
    for package in PACKAGES:
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__"):
                try:
                    yield importlib.import_module(found.name)
                except ImportError:  # an extra that is not installed
                    continue


def held(value):
    """Give the compiled patterns in *value*, a module's global."""
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from held(each)
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from held(each)


def calls_of_re(tree):
    """Give every call of a function of `re` in *tree*."""
    for node in ast.walk(tree):
        is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if (
            is_call
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "re"
            and node.func.attr != "escape"
        ):
            yield node


def patterns():
    """Return (where, pattern, method) for every regular expression there is."""
    found = {}
    for module in modules():
        source = Path(module.__file__).read_text("utf-8")
        for name, value in list(vars(module).items()):
            for pattern in held(value):
                used = re.findall(rf"\b{re.escape(name)}(?:\[[^\]]*\])?\.({'|'.join(METHODS)})\(", source) or [
                    "fullmatch"
                ]
                for method in used:
                    found.setdefault((pattern.pattern, pattern.flags, method), f"{module.__name__}.{name}")
        for call in calls_of_re(ast.parse(source)):
            if call.func.attr != "compile" and isinstance(call.args[0], ast.Constant):
                pattern = re.compile(call.args[0].value)
                key = (pattern.pattern, pattern.flags, call.func.attr)
                found.setdefault(key, f"{module.__name__} line {call.lineno}")
    return [(where, re.compile(text, flags), method) for (text, flags, method), where in sorted(found.items(), key=str)]


PATTERNS = patterns()


def run(pattern, method, text):
    """Apply *pattern* as its module does; return the processor time."""
    if isinstance(pattern.pattern, bytes):
        text = text.encode("utf-8", "replace")
    began = time.process_time()
    match method:
        case "sub":
            pattern.sub("" if isinstance(text, str) else b"", text)
        case "finditer":
            for _ in pattern.finditer(text):
                pass
        case _:
            getattr(pattern, method)(text)
    return time.process_time() - began


def slow(pattern, method, makers):
    """Return the first text, made by one of *makers*, on which the work is more than linear; None if there is none.

    All are tried while they are short, where work that explodes shows and still ends; then the worst of them at full size.
    """
    worst = []
    for make in makers:
        for size in SIZES:
            text = make(size)
            took = run(pattern, method, text)
            if took > allowed(size) and all(run(pattern, method, text) > allowed(size) for _ in range(2)):
                return text
        worst.append((took, len(worst), make))
    for _, _, make in sorted(worst, reverse=True)[:5]:
        text = make(LARGE)
        if all(run(pattern, method, text) > allowed(LARGE) for _ in range(3)):
            return text
    return None


def allowed(size):
    """Return the seconds that *size* characters may take: ten times what tests/benchmarks/bounds.py measures, and some."""
    return 0.002 + size * 1e-6


def hostile():
    """Give functions that make hostile texts of a size."""
    for prefix in PREFIXES:
        for unit in UNITS:
            for suffix in SUFFIXES:
                yield lambda size, p=prefix, u=unit, s=suffix: p + u * (size // len(u)) + s
