"""Short sign-ins in the dialect of the passwordless client: what may be said and answered, and what deserves tokens."""

import json
from itertools import product

from kit.engine_host import ANN, Mail, Post
from kit.hosts import triggers_of
from kit.linking_kinds import Linked, ticket_of
from kit.passkeys import StandIn, assertion
from kit.passwordless_client import Client, challenge_in, link_metadata
from watchword import Flow, one_of
from watchword.testing import access_token
from watchword.testing.requests import knows_access_token
from watchword.testing.time import VirtualClock
from watchword_plugins.sms_otp import SmsOtp

LINK, STEP = Linked(opens="anywhere"), SmsOtp(countries=("+1",), with_token=True)
USER = ANN | {"phone_number": "+15555550100", "phone_number_verified": "true"}
OTHER = ANN | {"sub": "22222222-2222-4333-8444-555555555555"}
FLOWS = {
    "alone": (Flow(StandIn()), 31),
    "choice": (Flow(one_of(Mail(), StandIn())), 31),
    "all": (Flow(one_of(Mail(), StandIn(), LINK, STEP)), 53),
}
LINK_METHODS = {"link": link_metadata("yes"), "ask for a link": link_metadata("no")}
METHODS = {
    **LINK_METHODS,
    **{name: {"signInMethod": name} for name in ("FIDO2", "SMS_OTP_STEPUP", "ANOTHER")},
    None: {},
}
STEPS = {"FIDO2": "passkey", "SMS_OTP_STEPUP": "sms_otp", "link": "linked", "ask for a link": "linked"}
CHOICES = ("passkey", "mail", "linked", None)
ACTIONS = ("answer", "resend", None)
ANSWERS = {
    "right passkey": "passkey",
    "another's passkey": "",
    "right code": "mail",
    "right ticket": "linked",
    "another's ticket": "",
    "right SMS": "sms_otp",
    "right SMS, another's token": "",
    "nothing": "",
}
MOVES = tuple(product(METHODS, CHOICES, ACTIONS, ANSWERS))


def played(flow, moves, user=USER):
    """Whether *moves* end with tokens, and the rounds: what was asked, what was answered, and what Verify said."""
    mail, phone = Post(), Post()
    ports = {"clock": VirtualClock(), "tokens": knows_access_token, "dialect": "passwordless"}
    triggers = triggers_of(flow, courier={"email": mail, "sms": phone}, **ports)
    tickets = {}
    if "linked" in flow.steps:
        for name, whose in (("ann", user), ("bob", OTHER)):
            before = len(mail.sent)
            asking = Client(triggers, whose)
            asking.begin()
            asking.answer("", {"watchword_choice": "linked"})
            tickets[name] = ticket_of(mail.sent[-1]) if len(mail.sent) > before else "x.y"
    client = Client(triggers, user)
    public, before = client.begin(), len(mail.sent)
    challenge, rounds = challenge_in(public), []
    for method, choice, action, answer in moves:
        said = {"watchword_choice": choice, "watchword_action": action} | METHODS[method]
        codes = [each.text for each in mail.sent[before:] if "#" not in each.text]
        sms = phone.sent[-1].text[:6] if phone.sent else "000000"
        texts = {
            "right passkey": assertion(challenge),
            "another's passkey": assertion(challenge, signed_by="bob"),
            "right code": codes[-1] if codes else "00000000",
            "right ticket": tickets.get("ann", ""),
            "another's ticket": tickets.get("bob", ""),
            "right SMS": json.dumps({"jwt": access_token(USER["sub"]), "secretCode": sms}),
            "right SMS, another's token": json.dumps({"jwt": access_token(OTHER["sub"]), "secretCode": sms}),
            "nothing": "",
        }
        asked = client.created["publicChallengeParameters"]
        try:
            public = client.answer(texts[answer], {name: value for name, value in said.items() if value})
        except Exception:  # noqa: BLE001 - the sign-in ends by an error, in whatever words
            return False, rounds
        rounds.append((asked["step"], method, choice, action, answer, client.session[-1]["challengeResult"]))
        if not isinstance(public, dict):
            return public == "tokens", rounds
    return False, rounds


def is_deserved(asked_round):
    """Say whether this round, as the last one, is what the flow wants: a right answer to what was asked, not taken back."""
    step, method, choice, action, answer, right = asked_round
    if not (right and ANSWERS[answer]):
        return False
    if method is None:
        offered = step == "select" and action == "answer" and choice in {"passkey", "linked"}
        answered = choice if offered else step if action != "resend" else None
    else:
        answers = method in {"FIDO2", "link"}
        answered = STEPS.get(method) if step == STEPS.get(method) or (step == "select" and answers) else None
    return answered == ANSWERS[answer]


def goes_on_after_an_end(rounds):
    """Say whether a round came after an answer for a passkey or a link, behind which the client takes nothing more."""
    return any(method in {"FIDO2", "link"} for _, method, *_ in rounds[:-1])


def moves_of(name):
    """The sign-ins of one round of the flow *name*, and some of two."""
    _, stride = FLOWS[name]
    moves = [each for each in MOVES if name == "all" or not ({"linked", "sms_otp"} & {each[1], ANSWERS[each[3]]})]
    asking = [each for each in moves if each[3] == "nothing" and each[1] is None and each[2] is None]
    return (*((move,) for move in moves), *product([*asking, *moves[::stride]], moves[::9]))
