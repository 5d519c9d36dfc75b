"""The reference has a place for everything that users meet: names, hooks, errors, parameters, settings, events, commands."""

import ast
import inspect
import re
import tomllib
from importlib import import_module

import attrs
import pytest

import watchword
from kit.paths import ROOT
from watchword import errors, testing
from watchword.algebra import derivative, evaluation
from watchword.contract import hookspecs
from watchword.contract.kinds import RESERVED_PUBLIC
from watchword.runtime import wire
from watchword_adapters.aws_lambda import TriggerError, triggers
from watchword_adapters.cli import COMMANDS
from watchword_adapters.functions import SignIn
from watchword_adapters.userpool import LocalUserPool
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.magic_link import MagicLink
from watchword_plugins.passkey import Passkey
from watchword_plugins.proof_of_work import ProofOfWork
from watchword_plugins.recovery_codes import RecoveryCodes
from watchword_plugins.sms_otp import SmsOtp
from watchword_plugins.totp import Totp
from watchword_plugins.webauthn.steps import CEREMONY_STEPS

REFERENCE = ROOT / "docs" / "reference"
SOURCES = [path for root in ("engine", "plugins", "adapters") for path in (ROOT / root).rglob("*.py")]

# What the OWASP logging vocabulary calls its categories; a constant in the source that begins so is an event's name.
VOCABULARY = re.compile(r"(authn|authz|excess|sys|session|user|input|malicious|privilege|sequence|upload)_[a-z_]+")


def pages():
    """Every page of the reference, by name."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(REFERENCE.glob("*.md"))}


def headings(text):
    """The code names that have a heading of their own: `name`, or `watchword name` for a command."""
    return set(re.findall(r"^#{2,4} `([^`]+?)(?:\(\))?`\s*$", text, re.MULTILINE))


def cells(text):
    """The code names in the first cells of tables; a cell may hold several."""
    first = re.findall(r"^\| *((?:`[^`]+`(?:, )?)+) *\|", text, re.MULTILINE)
    return {name for cell in first for name in re.findall(r"`([^`]+)`", cell)}


def events_in(source):
    """The names of audit events in a module: first arguments of `record` and `AuditEvent`, and other such constants."""
    tree = ast.parse(source)
    called = {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", getattr(node.func, "id", "")) in {"record", "AuditEvent"}
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    assigned = {
        node.value
        for statement in ast.walk(tree)
        if isinstance(statement, ast.Assign)
        and any(getattr(target, "id", "") == "name" for target in statement.targets)
        for node in ast.walk(statement.value)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and VOCABULARY.fullmatch(node.value)
    }
    return called | assigned


def reasons_of_decisions():
    """The reasons in the interpreter: the second of ("fail", reason), and what `read` returns as a problem."""
    tree = ast.parse((ROOT / "engine/watchword/algebra/derivative.py").read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Tuple) and len(node.elts) == 2 and getattr(node.elts[0], "value", None) == "fail":
            found.add(getattr(node.elts[1], "value", None))
        elif isinstance(node, ast.FunctionDef) and node.name in {"read_session", "_mismatch"}:
            constants = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
            found |= {
                value for value in constants if isinstance(value, str) and re.fullmatch(r"[a-z]+(_[a-z]+)+", value)
            }
    return found - {None}


def url_schemes():
    """The schemes of couriers, ledgers and stores, by the entry points that bring them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = project["entry-points"]
    return sorted(
        {
            scheme
            for group in ("watchword.couriers", "watchword.ledgers", "watchword.credentials")
            for scheme in groups[group]
        }
    )


def hook_names():
    """The hooks of the specification."""
    return sorted(name for name, value in vars(hookspecs).items() if hasattr(value, "watchword_spec"))


def error_classes():
    """The errors that can leave Watchword."""
    found = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]
    return sorted({each.__name__ for each in [*found, TriggerError]})


def settings_of(kind):
    """The settings of a kind, by name, as they are written."""
    return [field.alias for field in attrs.fields(kind) if field.init]


def parameters_of(function):
    """The names of a function's parameters."""
    return [name for name in inspect.signature(function).parameters if name != "self"]


def environment_variables():
    """The variables of our own that the source reads."""
    return sorted(
        {name for path in SOURCES for name in re.findall(r"WATCHWORD_[A-Z]+(?:_[A-Z]+)*", path.read_text("utf-8"))}
    )


def fixtures():
    """The fixtures that the pytest plugin brings."""
    tree = ast.parse((ROOT / "adapters/watchword_adapters/pytest_plugin.py").read_text(encoding="utf-8"))
    return [each.name for each in tree.body if isinstance(each, ast.FunctionDef)]


def shown_by_kinds():
    """The public parameters of the kinds that come with Watchword: of a challenge, behind a proven factor, and of an enrolment."""
    passkey = Passkey(rp_id="localhost", origins=("http://localhost:5173",))
    enrolling = [Totp(), RecoveryCodes(), passkey]
    asked = [
        kind.create(testing.create_request(kind, proven=True))
        for kind in (
            EmailOtp(),
            SmsOtp(countries=("+49",)),
            MagicLink(redirects={"web": "https://a.example/"}),
            Captcha(),
            ProofOfWork(),
            *enrolling,
        )
    ]
    begun = [kind.begin(testing.begin_request(kind)) for kind in enrolling]
    return sorted(set().union(*(each.public for each in (*asked, *begun))))


# For each thing that must have its place: where it is looked for (a page, or all of them), how, and what there is.
PLACES = {
    "public names": ("*", headings, watchword.__all__),
    "hooks": ("plugins.md", headings, hook_names()),
    "errors": ("errors.md", headings, error_classes()),
    "commands": ("command-line.md", headings, [f"watchword {name}" for name in COMMANDS]),
    "failure texts": ("errors.md", cells, errors.FAILURE_TEXTS),
    "reasons": ("errors.md", cells, sorted(reasons_of_decisions())),
    "public parameters": ("parameters.md", cells, sorted(RESERVED_PUBLIC)),
    "public parameters of kinds": ("parameters.md", cells, shown_by_kinds()),
    "private parameters": ("parameters.md", cells, sorted(wire.RESERVED_PRIVATE)),
    "metadata": ("parameters.md", cells, derivative.METADATA_FIELDS),
    "client metadata": ("parameters.md", cells, [evaluation.CHOICE, evaluation.ACTION, evaluation.REDIRECT]),
    "audit events": ("audit.md", cells, sorted(set().union(*(events_in(path.read_text("utf-8")) for path in SOURCES)))),
    "variables": ("environment.md", cells, environment_variables()),
    "settings of email_otp": ("email-otp.md", cells, settings_of(EmailOtp)),
    "settings of sms_otp": ("sms-otp.md", cells, settings_of(SmsOtp)),
    "settings of magic_link": ("magic-link.md", cells, settings_of(MagicLink)),
    "settings of captcha": ("captcha.md", cells, settings_of(Captcha)),
    "settings of proof_of_work": ("proof-of-work.md", cells, settings_of(ProofOfWork)),
    "settings of passkey": ("passkey.md", cells, settings_of(Passkey)),
    "settings of totp": ("totp.md", cells, settings_of(Totp)),
    "settings of recovery_codes": ("recovery-codes.md", cells, settings_of(RecoveryCodes)),
    "parameters of triggers": ("hosts.md", cells, parameters_of(triggers)),
    "parameters of SignIn": ("hosts.md", cells, parameters_of(SignIn)),
    "names of the test kit": ("testing.md", cells, testing.__all__),
    "words of a sign-in": ("testing.md", cells, [name for name in vars(testing.DrivenSignIn) if name[0] != "_"]),
    "settings of a user": ("testing.md", cells, parameters_of(testing.FlowUser)[1:]),
    "fixtures": ("testing.md", cells, fixtures()),
    "settings of the pool": ("testing.md", cells, parameters_of(LocalUserPool)[3:]),
}
CASES = [(what, name) for what, (_, _, names) in PLACES.items() for name in names]


def missing(texts, what):
    """The names of one sort that have no place in *texts*."""
    page, find, names = PLACES[what]
    there = find("\n".join(texts.values()) if page == "*" else texts[page])
    return [name for name in names if name not in there]


@pytest.mark.parametrize("what", PLACES)
def test_everything_has_its_place(what):
    """Whatever a user can meet has a heading or a row in the reference."""
    assert [] == missing(pages(), what)


@pytest.mark.parametrize("what", PLACES)
def test_a_sort_of_things_is_never_empty(what):
    """A scan that finds nothing would demand nothing."""
    assert len(PLACES[what][2]) >= 2


@pytest.mark.parametrize(("what", "name"), CASES)
def test_what_is_taken_out_is_missed(what, name):
    """Each name, taken out of the reference, makes the demand fail: a mention in passing is no place."""
    gone = re.compile(rf"`{re.escape(name)}(\(\))?`")
    texts = {
        page: "\n".join(gone.sub("``", line) if line.startswith(("#", "|")) else line for line in text.splitlines())
        for page, text in pages().items()
    }

    assert name in missing(texts, what)


@pytest.mark.parametrize("scheme", url_schemes())
def test_every_url_scheme_is_shown(scheme):
    """Each scheme that comes along is the beginning of a URL in the tables of ledgers and couriers."""
    rows = [line for line in pages()["environment.md"].splitlines() if line.startswith("|")]

    assert any(f"`{scheme}:" in row for row in rows)


@pytest.mark.parametrize(
    ("kind", "page"),
    [
        (EmailOtp, "email-otp.md"),
        (SmsOtp, "sms-otp.md"),
        (MagicLink, "magic-link.md"),
        (Captcha, "captcha.md"),
        (ProofOfWork, "proof-of-work.md"),
        (Passkey, "passkey.md"),
        (Totp, "totp.md"),
        (RecoveryCodes, "recovery-codes.md"),
    ],
)
def test_defaults_are_those_of_the_code(kind, page):
    """A table of settings gives the defaults that the kind has."""
    names = r"\| *((?:`\w+`(?:, )?)+) *\| *([^|]+?) *\|"
    written = {}
    for cell, defaults in re.findall(names, pages()[page]):
        for name, default in zip(re.findall(r"\w+", cell), defaults.replace("`", "").split(", "), strict=False):
            written.setdefault(name, default)
    spoken = {"": "empty", None: "none", (): "none", True: "true", False: "false", attrs.NOTHING: "required"}
    spoken |= {
        each.default: " ".join(map(str, each.default))
        for each in attrs.fields(kind)
        if each.default and type(each.default) is tuple
    }
    defaults = {
        field.alias: getattr(kind(), field.name) if isinstance(field.default, attrs.Factory) else field.default
        for field in attrs.fields(kind)
        if field.init
    }
    expected = {
        name: str(value) if type(value) is int else spoken.get(value, value) for name, value in defaults.items()
    }

    assert expected == {name: written[name] for name in expected}


def test_the_page_on_passkeys_has_the_table_of_steps():
    """As the code has it, row by row."""
    rows = [
        f"| {step.registration or ''} | {step.assertion or ''} | {step.rule} | {step.by} | {f'`{step.reason}`' if step.reason else ''} |"
        for step in CEREMONY_STEPS
    ]
    assert "\n".join(rows) in pages()["passkey.md"]


def test_the_events_of_a_module_are_found():
    """The scan sees a name as an argument, a name chosen by a condition, and an event made by hand."""
    source = """
name = "authn_a" if x else "authn_b"
self.record(name, user)
engine.record("sys_c", user)
audit.record(AuditEvent("authz_d", 0.0, ""))
"""

    assert {"authn_a", "authn_b", "sys_c", "authz_d"} == events_in(source)


@pytest.mark.parametrize("name", COMMANDS)
def test_readme_lists_each_command(name):
    """In the table of the command line, where a newcomer looks first."""
    table = (ROOT / "README.md").read_text(encoding="utf-8").split("## The command line")[1]
    assert re.search(rf"^\|.*`watchword {name}\b[^`]*`.*\|", table, re.MULTILINE)


NO_MODULES = {
    *(
        "watchword.audit",
        "watchword.couriers",
        "watchword.ledgers",
        "watchword.credentials",
    ),  # a logger, and groups of entry points
    *("watchword.json", "watchword_riddle.py", "watchword_customer_number.py"),  # files
    *("watchword_push_code.py", "watchword_push_code_courier.py"),
}
"""Names with a dot that pages have in code and that are no modules."""


def is_there(name):
    """Whether *name* is a module of Watchword, or an attribute of one."""
    module, attributes = name, []
    while True:
        try:
            thing = import_module(module)
        except ImportError:
            module, _, last = module.rpartition(".")
            attributes.insert(0, last)
            continue
        missing = object()
        for attribute in attributes:
            thing = getattr(thing, attribute, missing)
        return thing is not missing


def test_every_dotted_name_on_a_page_is_there():
    """A page that names a module which has moved since leads nowhere. The changelog tells of old ones."""
    pages = [ROOT / "README.md", *(each for each in (ROOT / "docs").rglob("*.md") if each.parent.name != "changelog")]
    names = {
        (page.name, name)
        for page in pages
        for name in re.findall(r"`(watchword\w*(?:\.\w+)+)", page.read_text(encoding="utf-8"))
    }
    assert set() == {(page, name) for page, name in names if name not in NO_MODULES and not is_there(name)}
    assert is_there("watchword.contract.Factor")
    assert not is_there("watchword.engine")
    assert not is_there("watchword.contract.absent")
