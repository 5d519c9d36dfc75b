"""A local pool's tokens tell what was passed in their sign-in, as the client names it; a refresh tells nothing."""

import base64
import json

import pytest

from kit.hosts import ports, sign_in_of
from kit.user_pool import EMAIL, PASSWORD
from watchword import Flow, one_of, sequence
from watchword.testing import Mailbox
from watchword_adapters.audit import MemoryAudit
from watchword_adapters.aws.token_claims import CLAIMS
from watchword_adapters.aws_lambda import triggers
from watchword_adapters.functions import SignedIn
from watchword_adapters.srp.client import SrpClient
from watchword_adapters.userpool import ClientError, LocalUserPool
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.srp import Srp

BY_MAIL = Flow(EmailOtp(), name="by-mail")


class Sign:
    """One sign-in at a pool, by a client that says its sign-in with each answer."""

    def __init__(self, shop, name="ann", **says):
        self.shop, self.name, self.says = shop, name, says
        self.reply = shop.pool.initiate_auth(
            ClientId=shop.pool.client_id, AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": name}
        )

    @property
    def id(self):
        return self.reply["ChallengeParameters"]["signin"]

    def answer(self, text=None, **says):
        self.reply = self.shop.pool.respond_to_auth_challenge(
            ClientId=self.shop.pool.client_id,
            ChallengeName="CUSTOM_CHALLENGE",
            Session=self.reply["Session"],
            ChallengeResponses={"USERNAME": self.name, "ANSWER": self.shop.post.code if text is None else text},
            ClientMetadata={"watchword_signin": self.id, **self.says, **says},
        )
        return self


class Shop:
    """A pool of one flow with ann in it, whose tokens tell what was passed."""

    def __init__(self, flow=BY_MAIL, **settings):
        self.post, self.audit = Mailbox(), MemoryAudit()
        given = ports(courier=self.post, audit=self.audit)
        made = triggers(flow, **given)
        self.made = made
        self.pool = LocalUserPool(
            *made,
            **{"pre_token_generation": made.pre_token, "clock": given["clock"], "random": given["random"]} | settings,
        )
        self.clock = given["clock"]
        self.pool.add_user("ann", password=PASSWORD, attributes=EMAIL)
        self.pool.add_user("bob", password=PASSWORD, attributes={**EMAIL, "email": "bob@example.com"})


def read(token):
    """Return a token's claims of ours."""
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return {name: claims[name] for name in CLAIMS if name in claims}


def told(reply, token="IdToken"):
    """Return our claims of the tokens in *reply*."""
    return read(reply["AuthenticationResult"][token])


@pytest.mark.parametrize("version", ["V1_0", "V2_0", "V3_0"])
@pytest.mark.parametrize("duplicates", [1, 3])
def test_tokens_tell_what_was_passed(version, duplicates):
    """The ID token always, the access token where the event's version can; the same however often the trigger is called."""
    shop = Shop(pre_token_version=version, duplicate_triggers=duplicates)
    reply = Sign(shop).answer().reply
    claims = {"sign_in_methods": "otp email", "sign_in_flow": "by-mail", "sign_in_at": str(int(shop.clock.now()))}
    assert claims == told(reply)
    assert ({} if version == "V1_0" else claims) == told(reply, "AccessToken")


def test_a_client_that_says_nothing_gets_tokens_that_tell_nothing():
    """The sign-in goes as ever."""
    assert {} == told(Sign(Shop()).answer(watchword_signin="").reply)


def test_what_a_client_claims_is_no_evidence():
    """The metadata names a sign-in, and nothing more."""
    claimed = {"sign_in_methods": "hwk mfa", "sign_in_flow": "vault", "sign_in_at": "1"}
    assert {} == told(Sign(Shop()).answer(watchword_signin="", **claimed).reply)
    assert "otp email" == told(Sign(Shop(), **claimed).answer().reply)["sign_in_methods"]


def test_a_refresh_tells_nothing():
    """Whatever the client says with it: those tokens are of no sign-in."""
    shop = Shop()
    sign = Sign(shop)
    said = {"watchword_signin": sign.id}
    tokens = sign.answer().reply["AuthenticationResult"]
    new = shop.pool.get_tokens_from_refresh_token(
        ClientId=shop.pool.client_id, RefreshToken=tokens["RefreshToken"], ClientMetadata=said
    )
    assert {} == told(new)


def test_the_sign_in_of_another_user_tells_nothing():
    """Bob says ann's."""
    shop = Shop()
    ann = Sign(shop)
    said = ann.id
    ann.answer()
    assert {} == told(Sign(shop, "bob").answer(watchword_signin=said).reply)


def test_a_native_sign_in_by_password_tells_nothing_of_its_own():
    """Cognito calls the trigger for it too, and no Verify of ours has seen it."""
    shop = Shop()
    reply = shop.pool.admin_initiate_auth(
        UserPoolId=shop.pool.pool_id,
        ClientId=shop.pool.client_id,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "ann", "PASSWORD": PASSWORD},
    )
    assert {} == told(reply)


def test_a_password_is_told_beside_what_came_after_it():
    """The host's own round is in the session that Create sees."""
    shop = Shop(Flow(sequence(Srp(), EmailOtp()), name="both"))
    client = SrpClient(shop.pool.pool_id, "ann", PASSWORD, shop.pool.random)
    begun = shop.pool.initiate_auth(
        ClientId=shop.pool.client_id,
        AuthFlow="CUSTOM_AUTH",
        AuthParameters={**client.auth_parameters(), "CHALLENGE_NAME": "SRP_A"},
    )
    proof = client.answer(begun["ChallengeParameters"], shop.clock.now())
    sign = Sign.__new__(Sign)
    sign.shop, sign.name, sign.says = shop, "ann", {}
    sign.reply = shop.pool.respond_to_auth_challenge(
        ClientId=shop.pool.client_id,
        ChallengeName="PASSWORD_VERIFIER",
        Session=begun["Session"],
        ChallengeResponses=proof,
    )
    assert "pwd otp email mfa" == told(sign.answer().reply)["sign_in_methods"]


def test_two_sign_ins_of_one_user_do_not_speak_for_each_other():
    """The one that says the other gets no claims, and from then on neither does."""
    shop = Shop(Flow(one_of(EmailOtp()), name="either"))
    one = Sign(shop)
    said = one.id
    assert told(one.answer().reply)
    shop.clock.advance(20)
    other = Sign(shop)
    assert {} == told(other.answer(watchword_signin=said).reply)
    assert "authn_evidence_refused" in shop.audit.names()


def test_a_wrong_answer_is_wrong_whatever_is_said():
    """Nothing is told, and there are no tokens."""
    shop = Shop(Flow(EmailOtp(attempts=1)))
    with pytest.raises(ClientError):
        Sign(shop).answer("00000000")


def test_a_trigger_of_your_own_asks_for_the_evidence():
    """It gets the claims, and does with them what it likes."""
    shop = Shop(pre_token_generation=lambda event, _: own(event))

    def own(event):
        claims = {"tenant": "acme", **shop.made.evidence(event)}
        event["response"]["claimsOverrideDetails"] = {"claimsToAddOrOverride": claims}
        return event

    assert "otp email" == told(Sign(shop).answer().reply)["sign_in_methods"]


@pytest.mark.parametrize(
    "event", [None, [], "x", 7, {}, {"triggerSource": None}, {"triggerSource": "TokenGeneration_Authentication"}]
)
def test_what_is_no_event_is_no_evidence(event):
    """And raises nothing: a trigger of your own would end every sign-in by it."""
    assert {} == Shop().made.evidence(event)


def test_plain_functions_tell_it_as_a_value():
    """Nothing is kept for it."""
    post = Mailbox()
    made = sign_in_of(BY_MAIL, courier=post)
    asked = made.begin("ann")
    assert "signin" not in asked.public
    done = made.respond(asked.token, post.code)
    assert isinstance(done, SignedIn)
    assert ("otp", "email") == done.methods
