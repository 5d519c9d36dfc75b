"""Flows as data: the same value as the Python form, and errors that say where."""

import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.paths import FLOWS
from watchword import (
    Flow,
    Limits,
    Present,
    ReadRound,
    all_of,
    at_least,
    attribute,
    check,
    client,
    fallback,
    load_flow,
    named,
    one_of,
    sequence,
    when,
)
from watchword.errors import ConfigurationError
from watchword.loading.flow_reference import MAX_REFERENCE, find_flow
from watchword.loading.flow_text import MAX_BYTES
from watchword.loading.registry import Registry
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.srp import Srp

KINDS = """
import attrs, watchword

@attrs.frozen
class Riddle:
    kind = "riddle"
    proves = frozenset({"knowledge"})
    question = attrs.field()
    words = attrs.field(default=(), validator=attrs.validators.instance_of(tuple))
    hints = attrs.field(factory=dict)
    level = attrs.field(default=1, alias="difficulty")
    _secret = attrs.field(default=0)
    made = attrs.field(init=False, default=0)

    @level.validator
    def _positive(self, attribute, value):
        if value < 1:
            raise (SystemExit if value < 0 else ValueError)(f"level is {value}")

    def create(self, request): ...
    def verify(self, request): ...

@watchword.hookimpl
def register_kinds(register):
    register(Riddle)
"""

PLAIN = """
import watchword

class Plain:
    kind = "plain"
    proves = frozenset()
    def create(self, request): ...
    def verify(self, request): ...
    def __eq__(self, other): return type(self) is type(other)
    __hash__ = None

class Bare:
    kind = "bare"
    proves = frozenset()
    def __init__(self): raise RuntimeError
    def create(self, request): ...
    def verify(self, request): ...

@watchword.hookimpl
def register_kinds(register):
    register({})
"""


@pytest.fixture
def write(tmp_path):
    """A function that writes a flow file and returns its path."""

    def write(text):
        path = tmp_path / "flow.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def refusal(write):
    """A function that returns the message with which a flow file is refused, without the file's path."""

    def refusal(text, registry=None):
        path = write(text)
        with pytest.raises(ConfigurationError) as caught:
            load_flow(path, registry)
        message = str(caught.value)
        assert message.startswith(str(path))
        return message.removeprefix(str(path)).removeprefix(", ")

    return refusal


@pytest.fixture
def strangers(tmp_path, monkeypatch):
    """A registry of kinds that are not our own, to be imported from the current folder."""
    (tmp_path / "acme_riddle.py").write_text(KINDS)
    (tmp_path / "acme_plain.py").write_text(PLAIN.format("Plain"))
    (tmp_path / "acme_bare.py").write_text(PLAIN.format("Bare"))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield Registry({"watchword": {"riddle": "acme_riddle", "plain": "acme_plain", "bare": "acme_bare"}})
    for module in ("acme_riddle", "acme_plain", "acme_bare"):
        sys.modules.pop(module, None)


OTHER = '{ kind = "email_otp", name = "other" }'
SRP, CODE, PICTURE = '{ kind = "srp" }', '{ kind = "email_otp" }', '{ kind = "captcha" }'
GOLD = 'when = { attribute = "custom:tier", equals = "gold" }'

ROOT = """
name = "acme"
require = "possession"
unwanted_srp = "ignore"
limits = { guesses = "5/day", messages = ["1/min", "2/h"] }
accept = { W1 = "the intranet only", "W 2" = "so be it" }
steps = [{ kind = "email_otp" }]
"""

FORMS = {
    "one step": ('[[steps]]\nkind = "email_otp"', Flow(EmailOtp())),
    "settings": ('[[steps]]\nkind = "email_otp"\nlength = 6\napp = "Acme"', Flow(EmailOtp(length=6, app="Acme"))),
    "list as tuple": ('[[steps]]\nkind = "captcha"\nfonts = ["a.ttf"]', Flow(Captcha(fonts=("a.ttf",)))),
    "a name": ('[[steps]]\nkind = "email_otp"\nname = "mail"', Flow(named("mail", EmailOtp()))),
    "steps are a sequence": (f"steps = [{SRP}, {CODE}]", Flow(sequence(Srp(), EmailOtp()))),
    "steps as tables": ('[[steps]]\nkind = "srp"\n[[steps]]\nkind = "captcha"', Flow(sequence(Srp(), Captcha()))),
    "sequence": (f"steps = [{{ sequence = [{SRP}] }}]", Flow(sequence(Srp()))),
    "one_of": (f"[[steps]]\none_of = [{PICTURE}, {CODE}]", Flow(one_of(Captcha(), EmailOtp()))),
    "all_of": (f"steps = [{{ all_of = [{PICTURE}, {CODE}] }}]", Flow(all_of(Captcha(), EmailOtp()))),
    "at_least": (f"[[steps]]\nat_least = 1\nof = [{PICTURE}, {CODE}]", Flow(at_least(1, Captcha(), EmailOtp()))),
    "fallback": (f"[[steps]]\nfallback = [{PICTURE}, {CODE}]", Flow(fallback(Captcha(), EmailOtp()))),
    "when": (
        f"steps = [{CODE}, {{ {GOLD}, then = {PICTURE} }}]",
        Flow(sequence(EmailOtp(), when(attribute("custom:tier", "gold"), Captcha()))),
    ),
    "when as tables": (
        '[[steps]]\nwhen.client = "web"\n[steps.then]\nkind = "captcha"\n[steps.otherwise]\nkind = "email_otp"',
        Flow(when(client("web"), Captcha(), otherwise=EmailOtp())),
    ),
    "blocks in blocks": (
        f"steps = [{{ one_of = [{{ sequence = [{SRP}, {{ at_least = 1, of = [{PICTURE}, {OTHER}] }}] }}, {CODE}] }}]",
        Flow(one_of(sequence(Srp(), at_least(1, Captcha(), named("other", EmailOtp()))), EmailOtp())),
    ),
    "the root": (
        ROOT,
        Flow(
            EmailOtp(),
            name="acme",
            require="possession",
            unwanted_srp="ignore",
            limits=Limits(guesses="5/day", messages=["1/min", "2/h"]),
            accept={"W1": "the intranet only", "W 2": "so be it"},
        ),
    ),
    "Windows": (b'\xef\xbb\xbf[[steps]]\r\nkind = "srp"\r\n', Flow(Srp())),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_file_gives_the_same_value_as_the_python_form(write, form):
    """Every block and every setting of the root can be written in both ways."""
    text, flow = FORMS[form]

    assert flow == load_flow(write(text))
    assert flow.fingerprint == load_flow(str(write(text))).fingerprint


def written(block):
    """*block* as a person would write it in TOML."""
    match block:
        case ("kind", name):
            return f'{{ kind = "email_otp", name = "{name}", length = {6 + len(name)} }}'
        case ("at_least", *parts):
            return f"{{ at_least = 1, of = [{', '.join(map(written, parts))}] }}"
        case ("when", then, otherwise):
            return f"{{ {GOLD}, then = {written(then)}, otherwise = {written(otherwise)} }}"
        case (word, *parts):
            return f"{{ {word} = [{', '.join(map(written, parts))}] }}"


def built(block):
    """*block* as a value."""
    match block:
        case ("kind", name):
            return named(name, EmailOtp(length=6 + len(name)))
        case ("at_least", *parts):
            return at_least(1, *map(built, parts))
        case ("when", then, otherwise):
            return when(attribute("custom:tier", "gold"), built(then), built(otherwise))
        case (word, *parts):
            return {"sequence": sequence, "one_of": one_of, "all_of": all_of, "fallback": fallback}[word](
                *map(built, parts)
            )


@st.composite
def blocks(draw):
    """Blocks in blocks, whose steps have different names."""
    names = iter([f"s{number}" for number in range(1000)])

    def block(depth):
        word = draw(st.sampled_from(["kind", "sequence", "one_of", "all_of", "fallback", "at_least", "when"]))
        if word == "kind" or depth == 0:
            return ("kind", next(names))
        return (word, *(block(depth - 1) for _ in range(2 if word == "when" else draw(st.integers(1, 3)))))

    return block(3)


@given(blocks())
def test_any_nesting_gives_the_same_value_in_both_forms(tmp_path_factory, block):
    """The reader and the Python constructors never disagree."""
    path = tmp_path_factory.getbasetemp() / "nested.toml"
    path.write_text(f"steps = [{written(block)}]")

    assert Flow(built(block)) == load_flow(path)


def test_settings_of_a_strange_kind_are_its_attrs_fields(write, strangers):
    """Lists become tuples at any depth; aliases are the names that the constructor takes."""
    text = '[[steps]]\nkind = "riddle"\nquestion = "why"\nwords = [["a"], "b"]\nhints = { x = [1] }\ndifficulty = 2'
    riddle = strangers.find_kind("riddle")

    assert Flow(riddle("why", (("a",), "b"), {"x": (1,)}, 2)) == load_flow(write(text), strangers)


def test_a_kind_that_is_no_attrs_class_takes_no_settings(write, refusal, strangers):
    """A plain class is made without arguments."""
    assert Flow(strangers.find_kind("plain")()) == load_flow(write('[[steps]]\nkind = "plain"'), strangers)
    assert "line 3: steps[0].length: plain has no 'length'; it takes no settings" == refusal(
        '[[steps]]\nkind = "plain"\nlength = 3', strangers
    )


STRANGE = [
    ("", "line 1: steps[0]: riddle needs question"),
    ("question = 1\n_secret = 1", "line 4: steps[0]._secret: riddle has no '_secret'"),
    ("question = 1\nsecret = 1", "line 4: steps[0].secret: riddle has no 'secret'"),
    ("question = 1\nmade = 1", "line 4: steps[0].made: riddle has no 'made'"),
    ("question = 1\nwords = 1", "line 4: steps[0].words: riddle refuses this: 'words' must be <class 'tuple'>"),
    ("question = 1\ndifficulty = 0", "line 1: steps[0]: riddle refuses this: level is 0"),
    ("question = 1\ndifficulty = -1", "line 1: steps[0]: riddle refuses this: level is -1"),
]


@pytest.mark.parametrize(("settings", "told"), STRANGE)
def test_what_a_strange_kind_refuses_is_told_with_its_place(refusal, strangers, settings, told):
    """Also where its validators raise TypeError or ValueError, as those of attrs do."""
    message = refusal(f'[[steps]]\nkind = "riddle"\n{settings}', strangers)

    assert message.startswith(told)
    assert len(message) < 400


def test_a_kind_that_fails_without_a_word_is_told_with_its_place(refusal, strangers):
    """Even an exception without arguments."""
    assert "line 1: steps[0]: bare refuses this: " == refusal('steps = [{ kind = "bare" }]', strangers)


STEP = '[[steps]]\nkind = "email_otp"\n'

MISTAKES = [
    # the root
    ("", ": there are no steps: write [[steps]]"),
    ("name = 'x'", ": there are no steps"),
    ("step = 1\n" + STEP, "line 1: step: a flow has no 'step'; did you mean steps?"),
    (STEP + "[zzz]", "line 3: zzz: a flow has no 'zzz'; there is name, require"),
    ("steps = []", "line 1: steps: is empty"),
    ("\nsteps = 3", "line 2: steps: is a number; write a list of blocks"),
    ("steps = true", "line 1: steps: is true or false"),
    ("[steps]\nkind = 'srp'", "line 1: steps: is a table; write a list"),
    ("steps = [1]", "line 1: steps[0]: is a number; a block is a table"),
    ("steps = [['x']]", "line 1: steps[0]: is a list"),
    ("steps = [1979-05-27]", "line 1: steps[0]: is a date or time"),
    ("name = 7\n" + STEP, 'line 1: name: is a number; write a text, "…"'),
    ("require = []\n" + STEP, "line 1: require: is a list"),
    ("unwanted_srp = []\n" + STEP, "line 1: unwanted_srp: is a list"),
    ("unwanted_srp = 'perhaps'\n" + STEP, "line 1: unwanted_srp is 'perhaps': write 'refuse' or 'ignore'"),
    ("name = ''\n" + STEP, "line 1: name: the flow's name is ''"),
    ("limits = 1\n" + STEP, "line 1: limits: is a number; write a table"),
    ("[limits]\nguess = '1/h'\n" + STEP, "line 2: limits.guess: limits has no 'guess'; did you mean guesses?"),
    ("[limits]\nguesses = 'many'\n" + STEP, "line 2: limits.guesses: 'many' is no limit"),
    ("[limits]\nguesses = 3\n" + STEP, "line 2: limits.guesses: is a number; write text such as"),
    ("[limits]\nmessages = [\n'1/h',\n2]\n" + STEP, "line 4: limits.messages[1]: is a number"),
    ("[limits]\nmessages = []\n" + STEP, "line 2: limits.messages is empty"),
    ("[limits]\nguesses = '101/day'\n" + STEP, "line 2: limits.guesses allows 101"),
    ("accept = ['x']\n" + STEP, "line 1: accept: is a list; write a table"),
    ("[accept]\nW1 = true\n" + STEP, "line 2: accept.W1: is true or false"),
    # kinds and their settings
    (STEP + "lengths = 6", "line 3: steps[0].lengths: email_otp has no 'lengths'; did you mean length?"),
    (STEP + "zzz = 6", "line 3: steps[0].zzz: email_otp has no 'zzz'; there is length, alphabet"),
    (STEP + "length = 99", "line 3: steps[0].length: email_otp: length must be a whole number"),
    (STEP + "app = 'x'\nlength = '6'", "line 4: steps[0].length: email_otp: length must be a whole number"),
    (STEP + "length = {a = 1}", "line 3: steps[0].length: email_otp: length must be a whole number"),
    (
        "[[steps]]\nkind = 'emial_otp'",
        "line 2: steps[0].kind: no kind 'emial_otp' is installed; did you mean email_otp or sms_otp?",
    ),
    ("[[steps]]\nkind = 'EmailOtp'", "line 2: steps[0].kind: 'EmailOtp' is no name of a kind"),
    ("[[steps]]\nkind = 7", "line 2: steps[0].kind: is a number"),
    ("[[steps]]\nknd = 'srp'", "line 2: steps[0].knd: there is no 'knd'; did you mean kind?"),
    ("[[steps]]\nlength = 7", "line 1: steps[0]: says no kind and is no other block; give it one of kind, sequence"),
    ("[[steps]]", "line 1: steps[0]: says no kind"),
    (STEP + "name = 7", "line 3: steps[0].name: is a number"),
    (STEP + "name = 'No'", "line 3: steps[0].name: 'No' is no name of a step"),
    (STEP + "name = 'select'", "line 3: steps[0].name: 'select' is reserved"),
    ("[[steps]]\nkind = 'srp'\nname = 'first'", "line 3: steps[0].name: named('first', …): only a kind of challenge"),
    (STEP + STEP, 'line 3: steps[1]: steps[0] is named "email_otp" too; give one of them another name'),
    (STEP + "name = 'aa'\n" + STEP + "name = 'aa'", 'line 6: steps[1].name: steps[0] is named "aa" too'),
    (STEP + "[[steps]]\nkind = 'srp'", "line 3: steps[1]: Srp() stands where it cannot"),
    # blocks
    ("[[steps]]\nkind = 'srp'\none_of = []", "line 3: steps[0].one_of: kind and one_of are two blocks"),
    ("[[steps]]\none_of = []", "line 2: steps[0].one_of: is empty"),
    ("[[steps]]\none_of = { kind = 'srp' }", "line 2: steps[0].one_of: is a table; write a list"),
    ("[[steps]]\nsequence = [\n{ kind = 'srp' },\n{ kind = 'x y' }]", "line 4: steps[0].sequence[1].kind: 'x y'"),
    (f"[[steps]]\none_of = [{CODE}]\nname = 'x'", "line 3: steps[0].name: one_of has no 'name'; it takes nothing else"),
    ("[[steps]]\nat_least = 1", "line 1: steps[0]: at_least has no of"),
    (f"[[steps]]\nat_least = 3\nof = [{CODE}]", "line 2: steps[0].at_least: 3 of 1 cannot be asked"),
    (f"[[steps]]\nat_least = true\nof = [{CODE}]", "line 2: steps[0].at_least: True of 1"),
    ("[[steps]]\nat_least = 1\nofs = []", "line 3: steps[0].ofs: at_least has no 'ofs'; did you mean of?"),
    (f"[[steps]]\n{GOLD}", "line 1: steps[0]: when has no then"),
    (f"[[steps]]\n{GOLD}\nthen = 1", "line 3: steps[0].then: is a number"),
    (f"[[steps]]\n{GOLD}\nthen = {CODE}\notherwise = []", "line 4: steps[0].otherwise: is a list"),
    (f"[[steps]]\n{GOLD}\nthen = {CODE}\nelse = {SRP}", "line 4: steps[0].else: when has no 'else'"),
    (f"[[steps]]\n{GOLD}\nthen = {CODE}", ": when: without otherwise= it could pass"),
    ("[[steps]]\nwhen = 'gold'", "line 2: steps[0].when: is a text; write a table"),
    (
        "[[steps]]\nwhen = { attributes = 'a' }",
        "line 2: steps[0].when.attributes: when has no 'attributes'; did you mean attri",
    ),
    ("[[steps]]\nwhen = { attribute = 'a' }", "line 2: steps[0].when: is no condition; write {"),
    ("[[steps]]\nwhen = { client = 'a', equals = 'b' }", "line 2: steps[0].when: is no condition"),
    ("[[steps]]\nwhen = { attribute = 'a', equals = 'b', client = 'c' }", "line 2: steps[0].when: is no condition"),
    ("[[steps]]\nwhen = {}", "line 2: steps[0].when: is no condition"),
    ("[[steps]]\nwhen = { client = 7 }", "line 2: steps[0].when.client: is a number"),
    ("[[steps]]\nwhen = { client = '' }", "line 2: steps[0].when: client(id) takes"),
    ("[[steps]]\nwhen = { attribute = '', equals = '' }", "line 2: steps[0].when: attribute(name, value) takes"),
    # the text
    ("name = acme", " is no TOML: Invalid value (at line 1, column 8)"),
    ("name = 'a'\nname = 'b'", " is no TOML: Cannot overwrite a value (at line 2, column 11)"),
    ("x = " + "1" * 5000, " is no TOML: Exceeds the limit"),
    (b"name = 'a'\n# \xff", "line 2: not UTF-8"),
    (b"\xff\xfen\x00", "line 1: not UTF-8"),
    ("x = " + "[" * 100_000, "line 1: nested more than 32 deep"),
    ("\nx = " + "{a=" * 80_000, "line 2: nested more than 32 deep"),
    ("a." * 100_000 + "a = 1", "line 1: nested more than 32 deep"),
    ("\n".join(["[a]"] + ["[[" + "a." * 40 + "a]]"] * 900), "line 2: nested more than 32 deep"),
    ("#" * (MAX_BYTES + 1), " has more than 256 KiB"),
]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (STEP + "name = 'The flow'", True),
        ("[[steps]]\none_of = [{ kind = 'captcha' }, { kind = 'email_otp', name = 'The step' }]", False),
        (f"[[steps]]\n{GOLD}\nthen = {{ kind = 'email_otp', name = 'The step' }}", False),
    ],
)
def test_only_a_name_that_may_be_the_flows_is_told_where_that_one_is_written(refusal, text, hint):
    """Right below [[steps]]; the name of a block within another block is nobody else's."""
    message = refusal(text)
    assert "is no name of a step" in message
    assert hint is ("written above the first [[steps]]" in message)


@pytest.mark.parametrize(("text", "told"), MISTAKES)
def test_a_mistake_is_told_with_its_line_its_path_and_a_remedy(refusal, text, told):
    """Every wrong file gets one clear message, and never another exception."""
    message = refusal(text)

    assert message.startswith(told), message
    assert len(message) < 500
    assert not re.search(r"(?:^| )(\w\S*):? \1(?: |$)", message), message


@pytest.mark.parametrize(
    ("above", "line", "told"),
    [
        ("name = 'x'\nrequire = 'possession and'", 2, "require: a term is missing"),
        ("name = 'x'\n\nrequire = 'possesion'", 3, "require: 'possesion' is no factor and no kind"),
        ("[accept]\nWW201 = 'an intranet'\nWW999 = 'so be it'", 3, "accept: 'WW999' is no finding"),
        ("name = 'x'\n[accept]\nWW201 = ' '", 3, "accept: WW201 is accepted for no reason"),
        ("accept = { WW999 = 'so be it' }", 1, "accept: 'WW999' is no finding"),
    ],
)
def test_what_only_a_check_refuses_is_told_with_its_file_and_line(write, above, line, told):
    """`require` and `accept` are read by `check`, long after the file; a flow in Python has no place."""
    path = write(f"{above}\n{STEP}")
    flow = load_flow(path)
    with pytest.raises(ConfigurationError) as caught:
        check(flow)
    assert str(caught.value).startswith(f"{path}, line {line}: {told}")
    with pytest.raises(ConfigurationError) as bare:
        check(Flow(flow.body, require=flow.require, accept=flow.accept))
    assert str(bare.value).startswith(told)


LINK = "kind = 'magic_link', redirects = { web = 'https://a.example/' }"


@pytest.mark.parametrize(
    ("steps", "place", "told"),
    [
        (f"[[steps]]\n{LINK.replace(', r', chr(10) + 'r')}\n", ", line 2: steps[0]", "MagicLink(…): a link is good in"),
        (
            "[[steps]]\nkind = 'captcha'\n\n[[steps]]\nkind = 'srp'\n",
            ", line 5: steps[1]",
            "Srp() stands where it cannot",
        ),
        (
            "[[steps]]\nkind = 'captcha'\n[[steps]]\nenrol = { kind = 'totp' }\n",
            ", line 5: steps[1].enrol",
            "enrol(Totp()): strangers would enrol",
        ),
        (
            f"steps = [{{ {LINK}, name = 'aa' }}, {{ {LINK}, name = 'bb' }}]\n",
            "",
            "MagicLink(…): a link is good in",
        ),
        ("[[steps]]\nwhen = { client = 'x' }\nthen = { kind = 'captcha' }\n", "", "when: without otherwise="),
    ],
)
def test_what_only_the_whole_flow_refuses_is_told_with_the_line_of_the_kind(write, steps, place, told):
    """If it names one, which stands in one place."""
    path = write(f"name = 'x'\n{steps}")
    with pytest.raises(ConfigurationError) as caught:
        load_flow(path)
    assert str(caught.value).startswith(f"{path}{place}: {told}")


def test_what_the_command_line_requires_has_no_line(write):
    """The culprit is not in the file then."""
    with pytest.raises(ConfigurationError, match=r"^require: a term is missing"):
        check(load_flow(write(f"require = 'possession'\n{STEP}")), require="knowledge and")


def test_a_file_of_exactly_the_greatest_size_is_read(write):
    """The limit is the one that is documented."""
    assert Flow(EmailOtp()) == load_flow(write((STEP + "#" * MAX_BYTES)[:MAX_BYTES]))


def test_a_block_of_the_greatest_depth_is_read(write):
    """Fifteen blocks in one another are more than anybody writes, and no recursion limit is near."""
    text = f"steps = [{'{ sequence = [' * 15}{CODE}{'] }' * 15}]"

    assert Present("email_otp") == load_flow(write(text)).decide()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("absent.toml", "there is no such file"),
        ("", "cannot be read"),
        ("a\0b.toml", "cannot be read"),
        ("x" * 999, "too long"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(tmp_path, name, told):
    """Missing, a folder, no path at all."""
    with pytest.raises(ConfigurationError, match=told):
        load_flow(tmp_path / name)


def test_a_file_that_must_not_be_read_is_told(write, monkeypatch):
    """The reason is the operating system's own."""

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    path = write(STEP)
    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(ConfigurationError, match="cannot be read: Permission denied"):
        load_flow(path)


# --- references ---------------------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with a module of flows, as the current one and on the path."""
    (tmp_path / "acme_flows.py").write_text(
        "from watchword import Flow\nfrom watchword_plugins.srp import Srp\n"
        "login = Flow(Srp())\nnumber = 7\nclass Flows:\n    inner = login\n"
    )
    (tmp_path / "acme_wrong.py").write_text("from watchword import Flow, sequence\nlogin = Flow(sequence())\n")
    (tmp_path / "acme_needs.py").write_text("import acme_absent\n")
    (tmp_path / "acme_broken.py").write_text("raise SystemExit('bye')\n")
    (tmp_path / "flow.toml").write_text(STEP)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for module in ("acme_flows", "acme_wrong", "acme_needs", "acme_broken"):
        sys.modules.pop(module, None)


@pytest.mark.parametrize(
    ("reference", "body"),
    [
        ("flow.toml", EmailOtp()),
        ("acme_flows:login", Srp()),
        ("acme_flows:Flows.inner", Srp()),
        ("./flow.toml", EmailOtp()),
    ],
)
def test_a_reference_is_a_file_or_an_attribute_of_a_module(project, reference, body):
    """Command line and adapters take both."""
    assert Flow(body) == find_flow(reference)


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("absent.toml", "absent.toml: there is no such file"),
        ("acme_flows", "a flow is the path of a TOML file, or module:attribute"),
        ("", "cannot be read"),
        ("c:flow.toml", "no such file"),
        ("acme_flows:", "no such file"),
        ("acme_flows:logn", "logn is not there; did you mean login?; flows of acme_flows: login"),
        ("acme_flows:zzzzzz", "zzzzzz is not there; flows of acme_flows: login"),
        ("acme_flows:number", "is no Flow but int; flows of acme_flows: login"),
        ("acme_flows:Flow", "is no Flow but type"),
        ("json:loads", "is no Flow but function; flows of json: none"),
        ("acme_absent:login", "there is no module acme_absent; run it from the folder that holds it"),
        ("acme_flows.sub:login", "there is no module acme_flows.sub"),
        ("acme_absent.sub:login", "there is no module acme_absent;"),
        ("acme_needs:login", "importing acme_needs failed: No module named 'acme_absent'"),
        ("acme_broken:login", "importing acme_broken failed: SystemExit: bye"),
        ("acme_wrong:login", "acme_wrong:login: sequence() is empty"),
        ("a..b:c", "no such file"),
        ("acme_flows:a..b", "no such file"),
    ],
)
def test_a_reference_that_leads_nowhere_is_told(project, reference, told):
    """The message tells what is there."""
    with pytest.raises(ConfigurationError) as caught:
        find_flow(reference)

    assert told in str(caught.value)


def test_a_reference_is_no_longer_than_any_path():
    """It is cut in the message."""
    with pytest.raises(ConfigurationError, match=rf"^'x+'… has more than {MAX_REFERENCE} characters") as caught:
        find_flow("x" * (MAX_REFERENCE + 1))
    assert len(str(caught.value)) < 200


# --- examples -----------------------------------------------------------------------------------------------------


def example(name, *rounds):
    """What the example flow *name* decides after *rounds*."""
    flow = load_flow(FLOWS / f"{name}.toml")
    for each in rounds:
        flow = flow.after(each)
    return flow.decide()


SRP_A, PASSWORD = ReadRound.host("SRP_A"), ReadRound.host("PASSWORD_VERIFIER")


@pytest.mark.parametrize(
    ("name", "rounds", "expected"),
    [
        ("email_code", (), Present("email_otp")),
        ("srp_then_code", (SRP_A,), Present("PASSWORD_VERIFIER", host=True)),
        ("srp_then_code", (SRP_A, PASSWORD), Present("email_otp")),
        ("captcha_only", (), Present("captcha")),
        ("password_or_code", (), Present("email_otp")),
        ("password_or_code", (SRP_A,), Present("PASSWORD_VERIFIER", host=True)),
        ("password_or_code", (SRP_A, PASSWORD), Present("short_code")),
    ],
)
def test_an_example_begins_as_it_says(name, rounds, expected):
    """The example flows are loaded as they lie there, and ask for the right thing first."""
    assert expected == example(name, *rounds)


def test_a_code_alone_has_eight_digits_and_one_behind_a_password_six():
    """security: six digits are guessed a hundred times as easily, and only a password makes up for it."""
    lengths = {
        name: [step.kind.length for step in load_flow(FLOWS / f"{name}.toml").steps.values()]
        for name in ("email_code", "srp_then_code", "password_or_code")
    }

    assert {"email_code": [8], "srp_then_code": [6], "password_or_code": [6, 8]} == lengths


def test_every_example_is_loaded_and_named_as_its_file():
    """No example is forgotten here."""
    names = {path.stem for path in FLOWS.glob("*.toml")}

    assert {"email_code", "srp_then_code", "captcha_only", "password_or_code", "password_and_app"} == names
    assert names == {load_flow(FLOWS / f"{name}.toml").name for name in names}


def test_the_captcha_only_example_says_that_it_proves_nothing():
    """Nobody should copy it without the warning."""
    assert "proves nothing about who signs in" in (FLOWS / "captcha_only.toml").read_text()


CULPRITS = {
    'limits = { messages = "1000000/s" }\nsteps = [{ kind = "email_otp" }]': "allows 1000000: at most 999999",
    'limits = { messages = "1/100000s" }\nsteps = [{ kind = "email_otp" }]': "is over 100000 s: at most 99999",
    'steps = [{ if = { client = "x" }, then = { kind = "srp" } }]': "steps[0].if: 'if' says no condition; write { when = ",
    'steps = [{ then = { kind = "srp" } }]': "steps[0].then: 'then' says no condition; write { when = ",
    '[[steps]]\nkind = "email_otp"\nname = "Acme"': "steps[0].name: 'Acme' is no name of a step",
    '[[steps]]\nkind = "email_otp"\nrequire = "knowledge"': "it belongs to the flow; in TOML what belongs to the flow is",
    '[[steps]]\nkind = "SRP"': "'SRP' is no name of a kind; did you mean srp?",
    '[[steps]]\nkind = "E-Mail-OTP"': "'E-Mail-OTP' is no name of a kind: 2 to 32",
    '[[steps]]\nkind = "EMAIL-OTP"': "'EMAIL-OTP' is no name of a kind; did you mean email_otp?",
}


@pytest.mark.parametrize("text", CULPRITS)
def test_a_message_names_the_culprit_and_the_remedy(text, tmp_path):
    """Not what stands beside it."""
    path = tmp_path / "flow.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as refused:
        load_flow(path)
    assert CULPRITS[text] in str(refused.value)
