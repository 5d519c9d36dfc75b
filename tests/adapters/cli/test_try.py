"""`watchword try FLOW`: a flow is played with lines from standard input."""

from __future__ import annotations

import io
import re
import sys
import time
from pathlib import Path

import pytest
from pyotp import TOTP

from kit.paths import FLOWS
from watchword import Flow, check
from watchword_adapters.cli import main
from watchword_adapters.cli.commands import check as check_command
from watchword_adapters.couriers import Outbox
from watchword_plugins.captcha import Captcha


class Keyboard(io.TextIOBase):
    """Standard input: lines, some of which are made when they are read."""

    def __init__(self, lines) -> None:
        self.lines = iter(lines)

    def readline(self, size: int = -1) -> str:
        """Return the next line, or nothing at the end."""
        line = next(self.lines, None)
        if isinstance(line, BaseException):
            raise line
        return "" if line is None else (line() if callable(line) else line) + "\n"


@pytest.fixture
def play(tmp_path, monkeypatch, capsys):
    """Return a function that plays a flow with lines and returns status, stdout and stderr."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("sys.path", [*sys.path])

    def play(flow, *lines, options=()):
        monkeypatch.setattr("sys.stdin", Keyboard(lines))
        status = main(["try", str(flow), *options])
        return status, *capsys.readouterr()

    return play


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a flow and returns its path."""

    def write(text: str) -> Path:
        path = tmp_path / "flow.toml"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def code(monkeypatch):
    """Return a function that gives the code in the mail before last, last, …: the one that a person would type."""
    boxes = []
    real = Outbox.__init__

    def noted(self) -> None:
        real(self)
        boxes.append(self)

    monkeypatch.setattr(Outbox, "__init__", noted)
    return lambda: re.search(r"^(?: +(?=\S+$)|(?=\d{8} ))(\S{6,12})", boxes[-1].messages[-1].text, re.MULTILINE)[1]


def test_a_code_by_mail_signs_in(play, code):
    """The mail is shown, its code is typed, tokens come: status 0."""
    status, out, err = play(FLOWS / "email_code.toml", "", code)
    assert (0, "") == (status, err)
    assert "email to ann@example.com: Your sign-in code" in out
    assert "Signed in." in out
    assert "ID token: cognito:username=ann" in out
    assert "warning" not in out


def test_password_and_code_sign_in(play, code):
    """A flow that begins with the password asks for it."""
    status, out, _ = play(FLOWS / "srp_then_code.toml", "ann", "Passw0rd!x", code)
    assert 0 == status
    assert "password [Passw0rd!x]: " in out


def test_a_wrong_password_ends_it(play):
    """Cognito's own words and status 1."""
    status, out, _ = play(FLOWS / "srp_then_code.toml", "", "wrong")
    assert 1 == status
    assert "The sign-in is over. NotAuthorizedException: Incorrect username or password." in out


@pytest.mark.parametrize(("said", "step"), [("y", "short_code"), ("", "short_code"), ("n", "email_otp")])
def test_a_flow_that_can_be_opened_in_two_ways_asks_which(play, code, said, step):
    """password_or_code: the opening decides."""
    lines = ["", said, "", code] if step == "short_code" else ["", said, code]
    status, out, _ = play(FLOWS / "password_or_code.toml", *lines)
    assert 0 == status
    assert f"\n{step}\n" in out


def test_the_captcha_alone_runs_with_a_warning(play, tmp_path):
    """Nothing proves who signs in, and it says so as `check` does; the picture is saved."""
    status, out, _ = play(FLOWS / "captcha_only.toml", "", "no", "no", "no")
    assert 1 == status
    (finding,) = (each for each in check(Flow(Captcha())).findings if each.code == "WW101")
    assert f'warning: the flow "captcha_only": {finding.message}\n' in out
    pictures = [line.rpartition(" ")[2] for line in out.splitlines() if "saved as" in line]
    assert 3 == len(set(pictures))
    assert all(Path(path).parent == tmp_path and Path(path).read_bytes()[8:12] == b"WEBP" for path in pictures)


def test_a_flow_with_many_states_is_not_walked_for_a_warning(play, monkeypatch):
    """It begins at once, and says who would look at all of them."""
    monkeypatch.setattr(check_command, "_QUICK", 3)
    status, out, _ = play(FLOWS / "captcha_only.toml", "no", "no", "no")
    assert 1 == status
    assert "let watchword check walk them" in out
    assert "warning" not in out


@pytest.mark.parametrize("number", ["", "+4915112345678"])
def test_a_code_by_sms_goes_to_a_number_that_the_flow_writes_to(play, write, code, number):
    """Nobody has to give one; whoever does need not say that it is verified."""
    flow = write('[[steps]]\nkind = "sms_otp"\ncountries = ["+49"]\nlength = 8\n')
    options = ("--attribute", f"phone_number={number}") if number else ()
    status, out, _ = play(flow, "", code, options=options)
    assert status == 0, out
    assert f"sms to {number or '+49'}" in out


def test_a_step_up_goes_with_the_token_that_an_app_would_hold(play, write, code):
    """Nobody could type one; for somebody unknown there is none, and no code is right."""
    flow = write('[[steps]]\nkind = "sms_otp"\ncountries = ["+49"]\nlength = 8\nwith_token = true\n')
    status, out, _ = play(flow, "", code)
    assert status == 0, out
    assert "an access token goes out with it" in out
    status, out, _ = play(flow, "", "12345678", "12345678", "12345678", options=("--unknown-user",))
    assert status == 1
    assert "error: wrong" in out


def test_a_right_captcha_signs_in(play, monkeypatch):
    """The warning stops nobody: whoever reads the picture gets tokens."""
    from watchword_plugins.captcha import Captcha

    texts = []
    real = Captcha._paint.func
    monkeypatch.setattr(Captcha, "_paint", property(lambda self: lambda text: texts.append(text) or real(self)(text)))
    status, _, _ = play(FLOWS / "captcha_only.toml", "", lambda: texts[-1].lower())
    assert 0 == status


WORK_OR_CODE = """
[[steps]]
one_of = [{ kind = "proof_of_work", work = 100000 }, { kind = "captcha" }]

[[steps]]
kind = "email_otp"
"""


def test_a_proof_of_work_is_passed_by_enter(play, write, code):
    """The machine knows what it drew, so nobody works; what is typed goes out as it is."""
    flow = write(WORK_OR_CODE)
    status, out, err = play(flow, "", "proof_of_work", "of my own", "", code)
    assert (0, "") == (status, err)
    assert out.count("press Enter to answer with the work done: ") == 2
    assert "error: wrong" in out


def test_open_shows_the_picture(play, monkeypatch):
    """--open hands the file to whatever this machine opens pictures with."""
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    play(FLOWS / "captcha_only.toml", "", options=["--open"])
    assert 1 == len(opened)


def test_tries_run_out(play):
    """Three wrong answers end it; each of the first two says so."""
    status, out, _ = play(FLOWS / "email_code.toml", "", "0", "0", "0")
    assert 1 == status
    assert 2 == out.count("error: wrong")
    assert "attempts_left: 1" in out
    assert 1 == out.count("email to ann@")


def test_the_end_of_the_input_is_said_and_is_status_1(play):
    """EOF before the sign-in has ended."""
    status, _, err = play(FLOWS / "email_code.toml", "")
    assert 1 == status
    assert "watchword: error: the input ended before the sign-in did: nobody is signed in\n" == err


def test_quit_stops(play):
    """:quit works at every question; nobody is signed in, so the status is 1."""
    assert 1 == play(FLOWS / "email_code.toml", ":quit")[0]
    status, out, err = play(FLOWS / "email_code.toml", "", ":quit")
    assert (1, "") == (status, err)
    assert out.endswith("stopped: nobody is signed in\n")


def test_an_interruption_ends_with_130(play):
    """Ctrl-C at a question: no traceback."""
    status, _, err = play(FLOWS / "email_code.toml", "", KeyboardInterrupt())
    assert (130, "\n") == (status, err)


def test_resend_and_wait(play, code):
    """:resend before its time sends nothing; after :wait it sends a new code, and that one is right."""
    status, out, _ = play(FLOWS / "email_code.toml", "", ":resend", ":wait 60", ":resend", code)
    assert 0 == status
    assert 2 == out.count("email to ann@")
    assert "attempts_left: 2" not in out


@pytest.mark.parametrize("word", [":wait", ":wait 0", ":wait x", ":wait 86401", ":wait -1", ":wait ٣"])
def test_a_wrong_wait_is_said(play, word):
    """:wait takes whole seconds of a day at most."""
    assert ":wait takes whole seconds, from 1 to 86400" in play(FLOWS / "email_code.toml", "", word)[1]


def test_commands_are_no_answers(play, code):
    """Help, mail, an unknown command and one out of place cost no try; `::` begins an answer with a colon."""
    lines = (":resend", ":help", "", ":mail", ":nonsense", "::help", code)
    status, out, _ = play(FLOWS / "email_code.toml", *lines)
    assert 0 == status
    assert ":resend can be said only to a challenge" in out
    assert ":resend        ask for the message once more" in out
    assert "there is no :nonsense; :help lists what there is" in out
    assert 2 == out.count("email to ann@")
    assert 1 == out.count("error: wrong")


CHOICE = """
[[steps]]
one_of = [{ kind = "email_otp" }, { kind = "email_otp", name = "letters", alphabet = "letters" }]
"""


def test_a_choice_is_made_by_name(play, write, code):
    """Where there is a choice a name is asked for; another name is not sent."""
    status, out, _ = play(write(CHOICE), "", "nonsense", "", "letters", code)
    assert 0 == status
    assert "choose one of email_otp, letters: " in out
    assert "there is no nonsense; type one of the names" in out
    assert "\nletters\n" in out


def test_where_there_is_one_name_an_empty_line_takes_it(play, write, code):
    """So it is where the flow asks first: whatever the client says, that step comes."""
    flow = """
[[steps]]
kind = "email_otp"
[[steps]]
ask_first = { kind = "email_otp", name = "letters", alphabet = "letters" }
"""
    status, out, _ = play(write(flow), "", code, "", code)
    assert 0 == status
    assert "press Enter for letters: " in out
    assert "choose one of" not in out


@pytest.mark.parametrize("line", [":answer letters 5", ":answer letters", ":answer ", ":answer"])
def test_only_what_is_offered_is_answered_at_once(play, write, code, line):
    """Nothing is sent, and what is offered is named."""
    status, out, _ = play(write(CHOICE), "", line, "letters", code)
    assert 0 == status
    assert "offered to be answered at once: none" in out


def test_a_wrong_choice_can_be_tried(play, write):
    """:choose sends what it is given: the flow asks again, three times at most."""
    status, out, _ = play(write(CHOICE), "", *[":choose nonsense"] * 3)
    assert 1 == status
    assert 3 == out.count("choose one of")
    assert "The sign-in is over." in out


def test_a_choice_can_go_out_with_an_answer(play, write, code):
    """all_of: the next step is chosen together with the answer before it, and no choice is asked for."""
    flow = """
[[steps]]
kind = "email_otp"
[[steps]]
one_of = [{ kind = "captcha" }, { kind = "email_otp", name = "letters", alphabet = "letters" }]
"""
    status, out, _ = play(write(flow), "", ":choose letters", code, code)
    assert 0 == status
    assert "choose one of" not in out


def test_the_events_of_every_trigger_are_shown_on_demand(play):
    """:events shows those of the last call, --events all of them; a picture is cut."""
    _, out, _ = play(FLOWS / "captcha_only.toml", "", ":events")
    assert out.count("+-- define: event") == out.count("+-- create: response") == 1
    assert '"triggerSource": "DefineAuthChallenge_Authentication"' in out
    assert '"privateChallengeParameters"' in out
    assert max(map(len, out.splitlines())) < 400
    _, out, _ = play(FLOWS / "captcha_only.toml", "", "x", options=["--events"])
    assert 2 == out.count("+-- create: event")
    assert 1 == out.count("+-- verify: event")
    assert "no trigger was called" in play(FLOWS / "captcha_only.toml", ":events")[1]


def test_an_unknown_user_goes_the_same_way_to_no_tokens(play):
    """--unknown-user: asked like anybody, sent nothing, and never signed in."""
    status, out, _ = play(FLOWS / "email_code.toml", "", "1", "2", "3", options=["--unknown-user"])
    assert 1 == status
    assert "attempts_left: 1" in out
    assert "email to" not in out


def test_the_user_is_made_as_the_options_say(play, code):
    """--user, --email and --attribute make the user in the pool."""
    options = ["--user", "bob", "--email", "bob@example.org", "--attribute", "locale=de"]
    status, out, _ = play(FLOWS / "email_code.toml", "", code, options=options)
    assert 0 == status
    assert "user name [bob]: " in out
    assert "email to bob@example.org: Ihr Anmeldecode\n" in out


def test_an_unverified_address_gets_no_mail(play):
    """--attribute can replace what the defaults say."""
    _, out, _ = play(FLOWS / "email_code.toml", "", "1", options=["--attribute", "email_verified=false"])
    assert "email to" not in out
    assert "attempts_left: 2" in out
    ref = re.search(r"ref: (\w{8})", out)[1]
    assert f"log: no message was sent for email_otp: authn_code_withheld (reason unverified_address, ref {ref})" in out


CONDITION = """
[[steps]]
when = { client = "kiosk" }
then = { sequence = [{ kind = "srp" }, { kind = "email_otp", name = "short", length = 6 }] }
otherwise = { kind = "email_otp" }
"""


@pytest.mark.parametrize("by_password", [False, True])
def test_conditions_decide_how_it_opens(play, write, code, by_password):
    """--client is the app client that the flow looks at; the password is asked for only where the flow begins so."""
    lines, options = ([""], ["--client", "kiosk"]) if by_password else ([], [])
    status, out, _ = play(write(CONDITION), "", *lines, code, options=options)
    assert 0 == status
    assert f"\n{'short' if by_password else 'email_otp'}\n" in out
    assert by_password == ("password [" in out)


TIER = CONDITION.replace('client = "kiosk"', 'attribute = "custom:tier", equals = "gold"')


@pytest.mark.parametrize("known", [False, True])
def test_somebody_unknown_opens_as_the_flow_will_judge_it(play, write, known):
    """An unknown user has no attributes, so no password is asked for where only gold users have one."""
    options = ["--attribute", "custom:tier=gold", *([] if known else ["--unknown-user"])]
    _, out, _ = play(write(TIER), "", *([""] if known else []), "1", options=options)
    assert f"\n{'short' if known else 'email_otp'}\n" in out
    assert known == ("password [" in out)


def test_a_flow_in_python_is_found_in_the_current_folder(play, tmp_path, monkeypatch, code):
    """module:attribute, with the folder that the command is run in on the path."""
    (tmp_path / "flows_to_try.py").write_text(
        "from watchword import Flow\nfrom watchword_plugins.email_otp import EmailOtp\nmine = Flow(EmailOtp(), name='mine')\n"
    )
    monkeypatch.chdir(tmp_path)
    status, out, _ = play("flows_to_try:mine", "", code)
    sys.modules.pop("flows_to_try")
    assert 0 == status
    assert 'The flow "mine": email_otp' in out


def test_what_a_trigger_logs_is_shown_where_it_happens(play, write, code):
    """A trigger that ends closed tells the client a fixed text; the operator's reason is on the screen too."""
    steps = "".join(f'[[steps]]\nkind = "email_otp"\nname = "{name}"\n' for name in ("first", "second", "third"))
    status, out, err = play(write(f'[limits]\nmessages = "1/day"\n{steps}'), "", code, code)
    assert (1, "") == (status, err)
    assert "UserLambdaValidationException: CreateAuthChallenge failed with error TRY_LATER (ref " in out
    assert "log: create ended with TRY_LATER" in out
    assert "the message budget is empty" in out


APP = """
[[steps]]
kind = "email_otp"

[[steps]]
enrol = { kind = "totp", issuer = "Acme" }
"""


def test_an_app_is_enrolled_from_the_screen(play, write, code, capsys):
    """The QR code is drawn below the parameters; the code that the app shows signs in."""
    shown = []

    def app() -> str:
        out, _ = capsys.readouterr()
        shown.append(out)
        return TOTP(re.search(r"secret: (\w+)", out)[1]).now()

    status, out, err = play(write(APP), "", code, app)
    assert (0, "") == (status, err)
    assert "Signed in." in out
    drawn = [line for line in shown[0].splitlines() if line and set(line) <= set(" \u2580\u2584\u2588")]
    assert len(drawn) > 15
    assert 1 == len({*map(len, drawn)})


ENROLLED = """
[[steps]]
kind = "srp"

[[steps]]
when = { enrolled = "recovery_codes" }
then = { kind = "recovery_codes" }
otherwise = { kind = "email_otp" }

[[steps]]
enrol = { kind = "totp" }
"""


@pytest.fixture
def shown(capsys):
    """Return a function that gives what was last shown under a name, and a list of all that was shown."""
    told = []

    def find(name):
        told.append(capsys.readouterr().out)
        return re.findall(rf"^  {name}: (.*)$", "".join(told), re.MULTILINE)[-1]

    find.told = told
    return find


def test_who_has_enrolled_signs_in_with_it(play, write, shown):
    """The codes are shown, a wrong answer may be corrected, and the sign-in asks for what was enrolled."""
    first, second = (lambda: shown("codes").split()[0]), (lambda: shown("codes").split()[1])
    status, out, err = play(
        write(ENROLLED), "no", first, "", "", second, ":quit", options=["--enrolled", "recovery_codes"]
    )
    assert (1, "") == (status, err)
    before = "".join(shown.told)
    assert "\nenrol recovery_codes\n" in before
    assert "answer that completes it: no\nwrong\n" in before
    assert "ann has enrolled for recovery_codes." in before
    assert "\nrecovery_codes\n" in before
    assert "\nenrol_totp\n" in out


def test_what_was_enrolled_in_one_sign_in_is_asked_for_in_the_next(play, write, code, shown):
    """The store of credentials lives as long as the command; `:wait` brings the next code of an app."""
    codes = iter([0, 60])

    def app() -> str:
        return TOTP(shown("secret")).at(int(time.time()) + next(codes))

    lines = ["", code, app, "", code, ":wait 60", app]
    status, out, err = play(write(APP), *lines, options=["--sign-ins", "2"])
    assert (0, "") == (status, err)
    told = "".join([*shown.told, out])
    assert 2 == told.count("Signed in.")
    assert 1 == told.count("otpauth_uri:")
    assert "Sign-in 2 of 2" in told


def test_a_sign_in_that_fails_is_the_last(play, write):
    """The status says so."""
    status, out, _ = play(write(APP), "", "no", "no", "no", options=["--sign-ins", "3"])
    assert 1 == status
    assert "Sign-in 2 of 3" not in out


def test_who_does_not_complete_an_enrolment_does_not_sign_in(play, write):
    """Five different answers are compared; then it is over, and says why."""
    lines = [str(number) for number in range(7)]
    status, out, err = play(write(ENROLLED), *lines, options=["--enrolled", "totp"])
    assert 1 == status
    assert "ann is not enrolled for totp: guesses_used_up" in err
    assert 5 == out.count("\nwrong\n")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--enrolled", "topt"], "--enrolled topt: users of this flow enrol for recovery_codes, totp only"),
        (["--enrolled", "totp", "--unknown-user"], "an unknown user has enrolled nothing"),
        (["--sign-ins", "0"], "--sign-ins must be from 1 to 20"),
        (["--sign-ins", "21"], "--sign-ins must be from 1 to 20"),
    ],
)
def test_what_cannot_be_enrolled_is_said(play, write, options, told):
    """Before anything is asked."""
    status, out, err = play(write(ENROLLED), options=options)
    assert (2, "") == (status, out)
    assert told in err


def test_where_nobody_enrols_it_is_said(play):
    """The flow has no such kind at all."""
    status, _, err = play(FLOWS / "email_code.toml", options=["--enrolled", "totp"])
    assert 2 == status
    assert "--enrolled totp: nobody enrols in this flow" in err


def test_without_something_to_draw_with_it_says_what_to_install(play, write, code, monkeypatch):
    """The parameters are shown all the same."""
    monkeypatch.setitem(sys.modules, "segno", None)
    status, out, _ = play(write(APP), "", code, ":quit")
    assert 1 == status
    assert "a QR code needs segno: pip install 'watchword[qr]'" in out
    assert "otpauth://totp/Acme:" in out


def test_a_question_of_a_third_party_is_shown_in_full(play, tmp_path, monkeypatch):
    """Public parameters are what the user has to read: they are not shortened, and control signs are not obeyed."""
    (tmp_path / "riddles_to_try.py").write_text("""
from typing import ClassVar
from watchword import Challenge, Flow, Verdict

class Riddle:
    kind: ClassVar[str] = "riddle"
    proves: ClassVar[frozenset[str]] = frozenset({"knowledge"})

    def create(self, request):
        return Challenge(public={"question": "What walks on four legs, " * 5 + chr(27)}, private={"a": request.seal("man")})

    def verify(self, request):
        return Verdict(right=request.matches(request.private["a"], request.answer))

flow = Flow(Riddle())
""")
    monkeypatch.chdir(tmp_path)
    status, out, _ = play("riddles_to_try:flow", "", "man")
    sys.modules.pop("riddles_to_try")
    assert 0 == status
    assert "question: " + "What walks on four legs, " * 5 + "?" in out
    assert "\x1b" not in out
