"""What the local pool makes of a trigger that raises, dawdles, or returns something odd."""

import pytest

from kit.threaded_clock import ThreadedClock
from kit.user_pool import EMAIL, CodeByMail, PasswordThenCode, World, code_of, text_of
from watchword_adapters.userpool import ClientError, LocalUserPool

INCORRECT = "Incorrect username or password."
UNRECOGNIZABLE = "Unrecognizable lambda output"


def responding(**response):
    """Return a trigger that gives this response."""
    return lambda event, context: {**event, "response": response}


def refused(world, begin=True):
    """Return what goes wrong: at the beginning, or at the first answer."""
    reply = None if begin else world.begin()
    with pytest.raises(ClientError) as error:
        world.begin() if begin else world.answer(reply, "271828")
    return code_of(error), text_of(error)


# Raised errors


@pytest.mark.parametrize(
    ("trigger", "name", "begin"),
    [
        ("define", "DefineAuthChallenge", True),
        ("create", "CreateAuthChallenge", True),
        ("verify", "VerifyAuthChallengeResponse", False),
    ],
)
def test_what_a_trigger_raises_reaches_the_client(trigger, name, begin):
    """UserLambdaValidationException with the trigger's name and the error's text; it is not called again."""
    world = World()

    def failing(event, context):
        raise KeyError("challengeMetaData")

    recorder = getattr(world, trigger)
    recorder.trigger = failing
    assert refused(world, begin) == (
        "UserLambdaValidationException",
        f"{name} failed with error 'challengeMetaData'.",
    )
    assert len(recorder.events) == 1


def test_a_timeout_error_of_the_triggers_own_is_an_error_like_any_other():
    """A trigger whose socket timed out has answered in time: with an error."""
    world = World()

    def failing(event, context):
        raise TimeoutError("mail server")

    world.create.trigger = failing
    assert refused(world) == ("UserLambdaValidationException", "CreateAuthChallenge failed with error mail server.")
    assert len(world.create.events) == 1


def test_a_trigger_that_exits_is_an_error_too():
    """sys.exit() ends the call, not the pool."""
    world = World(clock=ThreadedClock())

    def leaving(event, context):
        raise SystemExit(3)

    world.define.trigger = leaving
    assert refused(world) == ("UserLambdaValidationException", "DefineAuthChallenge failed with error 3.")


def test_after_a_failing_create_the_session_is_spent():
    """The retry is told that the session was used."""
    world = World()
    reply = world.begin()
    world.create.trigger = responding(privateChallengeParameters=3)
    with pytest.raises(ClientError):
        world.answer(reply, "wrong")
    with pytest.raises(ClientError) as error:
        world.answer(reply, "wrong")
    assert text_of(error) == "Invalid session for the user, session can only be used once."


# Unusable answers


@pytest.mark.parametrize("answer", [None, "event", [], {}, {"response": None}, {"response": []}, 3])
def test_an_answer_that_is_no_event_is_unrecognizable(answer):
    """Above all None: a handler that forgot to return the event."""
    world = World()
    world.define.trigger = lambda event, context: answer
    assert refused(world) == ("InvalidLambdaResponseException", UNRECOGNIZABLE)


def test_an_answer_that_is_no_json_is_refused():
    """A set cannot leave a Lambda function."""
    world = World()
    world.define.trigger = responding(challengeName={1, 2})
    assert refused(world) == (
        "InvalidLambdaResponseException",
        "Invalid lambda function output : Invalid JSON",
    )


@pytest.mark.parametrize(
    "response",
    [
        {},
        {"issueTokens": False, "failAuthentication": False},
        {"challengeName": "RIDDLE"},
        {"challengeName": "SRP_A"},
        {"challengeName": "PASSWORD_VERIFIER"},  # no SRP_A went before
        {"challengeName": "NEW_PASSWORD_REQUIRED"},  # no password went before
        {"challengeName": 3},
        {"issueTokens": "true"},
        {"issueTokens": 1},
        {"failAuthentication": "no", "issueTokens": True},
    ],
)
def test_a_define_that_says_nothing_usable_is_unrecognizable(response):
    """Neither flag and no challenge that has its place here, or wrong types: fail closed."""
    world = World()
    world.define.trigger = responding(**response)
    assert refused(world) == ("InvalidLambdaResponseException", UNRECOGNIZABLE)


def test_failure_goes_before_tokens():
    """Both flags set: the sign-in fails."""
    world = World()
    world.define.trigger = responding(issueTokens=True, failAuthentication=True)
    assert refused(world) == ("NotAuthorizedException", INCORRECT)


def test_a_challenge_name_beside_tokens_does_no_harm():
    """The guide's own handler sets both."""
    world = World()
    world.define.trigger = responding(issueTokens=True, challengeName="CUSTOM_CHALLENGE")
    assert "AuthenticationResult" in world.begin()


@pytest.mark.parametrize(
    "response",
    [{}, {"privateChallengeParameters": {}}, {"privateChallengeParameters": None}],
)
def test_empty_private_parameters_fail_the_sign_in(response):
    """With the text of a wrong password and no other hint, as in Cognito."""
    world = World()
    world.create.trigger = responding(publicChallengeParameters={"a": "b"}, **response)
    assert refused(world) == ("NotAuthorizedException", INCORRECT)


@pytest.mark.parametrize(
    "response",
    [
        {"privateChallengeParameters": {"answer": 271828}},
        {"privateChallengeParameters": {"answer": None}},
        {"privateChallengeParameters": {"answer": ["a"]}},
        {"privateChallengeParameters": ["answer"]},
        {"privateChallengeParameters": {"a": "b"}, "publicChallengeParameters": {"a": True}},
        {"privateChallengeParameters": {"a": "b"}, "publicChallengeParameters": "a"},
        {"privateChallengeParameters": {"a": "b"}, "publicChallengeParameters": {"a": "x" * 131_073}},
        {"privateChallengeParameters": {"a": "b"}, "challengeMetadata": {"code": "1"}},
    ],
)
def test_a_create_whose_maps_are_not_strings_is_unrecognizable(response):
    """Maps go from string to string, and metadata is one string."""
    world = World()
    world.create.trigger = responding(**response)
    assert refused(world) == ("InvalidLambdaResponseException", UNRECOGNIZABLE)


@pytest.mark.parametrize("response", [{}, {"answerCorrect": None}, {"answerCorrect": "true"}, {"answerCorrect": 1}])
def test_a_verify_that_says_neither_true_nor_false_is_unrecognizable(response):
    """A missing verdict is none."""
    world = World()
    world.verify.trigger = responding(**response)
    assert refused(world, begin=False) == ("InvalidLambdaResponseException", UNRECOGNIZABLE)


def test_private_parameters_are_what_create_returned_then():
    """A handler that changes its dictionary later changes nothing here: events travel by value."""
    world = World()
    kept = {"answer": "271828"}
    world.create.trigger = lambda event, context: {**event, "response": {"privateChallengeParameters": kept}}
    reply = world.begin()
    kept["answer"] = "other"
    assert "AuthenticationResult" in world.answer(reply, "271828")


# Missing triggers


def test_a_pool_without_define_says_so():
    """CUSTOM_AUTH needs triggers."""
    pool = LocalUserPool(None, None, None)
    pool.add_user("ann", attributes=EMAIL)
    with pytest.raises(ClientError) as error:
        pool.initiate_auth(ClientId=pool.client_id, AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": "ann"})
    assert code_of(error) == "InvalidParameterException"
    assert text_of(error) == "Custom auth lambda trigger is not configured for the user pool."


def test_a_pool_without_create_or_verify_fails_when_it_needs_them():
    """UnexpectedLambdaException, as for a broken configuration."""
    handlers = CodeByMail()
    without_create = LocalUserPool(handlers.define, None, None)
    without_create.add_user("ann", attributes=EMAIL)
    begin = {"AuthFlow": "CUSTOM_AUTH", "AuthParameters": {"USERNAME": "ann"}}
    with pytest.raises(ClientError) as first:
        without_create.initiate_auth(ClientId=without_create.client_id, **begin)
    without_verify = LocalUserPool(handlers.define, handlers.create, None)
    without_verify.add_user("ann", attributes=EMAIL)
    reply = without_verify.initiate_auth(ClientId=without_verify.client_id, **begin)
    with pytest.raises(ClientError) as second:
        without_verify.respond_to_auth_challenge(
            ClientId=without_verify.client_id,
            ChallengeName="CUSTOM_CHALLENGE",
            Session=reply["Session"],
            ChallengeResponses={"USERNAME": "ann", "ANSWER": "1"},
        )
    assert code_of(first) == code_of(second) == "UnexpectedLambdaException"


# The deadline


class Late:
    """A trigger that takes *seconds* the first *count* times."""

    def __init__(self, world, count, seconds):
        self.world, self.count, self.seconds = world, count, seconds
        self.inner = world.define.trigger

    def __call__(self, event, context):
        if len(self.world.define.events) <= self.count:
            self.world.clock.advance(self.seconds)
        return self.inner(event, context)


def test_a_late_trigger_is_called_three_times_with_the_same_event():
    """Five seconds each, then UnexpectedLambdaException."""
    world = World()
    world.define.trigger = Late(world, 99, 5.001)
    before = world.clock.monotonic()
    assert refused(world) == (
        "UnexpectedLambdaException",
        "DefineAuthChallenge invocation failed due to error Socket timeout while invoking Lambda function.",
    )
    assert world.clock.monotonic() - before == pytest.approx(3 * 5.001)
    assert world.define.events == [world.define.events[0]] * 3


def test_a_trigger_that_answers_at_the_third_call_is_in_time():
    """Two late answers are forgiven."""
    world = World()
    world.define.trigger = Late(world, 2, 5.001)
    assert world.begin()["ChallengeName"] == "CUSTOM_CHALLENGE"
    assert len(world.define.events) == 3


def test_a_trigger_that_takes_the_whole_time_is_in_time():
    """At five seconds sharp the answer counts."""
    world = World()
    world.define.trigger = Late(world, 99, 5)
    assert world.begin()["ChallengeName"] == "CUSTOM_CHALLENGE"
    assert len(world.define.events) == 1


def test_a_repeated_call_gets_a_copy_of_its_own():
    """What the first call did to its event, the second does not see."""
    seen = []

    def vandal(event, context):
        seen.append(dict(event["request"]["userAttributes"]))
        event["request"]["userAttributes"].clear()
        return {**event, "response": {"challengeName": "CUSTOM_CHALLENGE"}}

    world = World(duplicate_triggers=2)
    world.define.trigger = vandal
    world.begin()
    assert seen[0] == seen[1] != {}


def test_duplicates_rehearse_cognitos_retries():
    """Each trigger is called as often as set with one event, and the last answer counts."""
    world = World(duplicate_triggers=3)
    answers = iter([False, False, True])

    def verify(event, context):
        return {**event, "response": {"answerCorrect": next(answers)}}

    world.verify.trigger = verify
    assert "AuthenticationResult" in world.answer(world.begin(), "271828")
    assert [len(r.events) for r in (world.define, world.create, world.verify)] == [6, 3, 3]
    assert world.create.events == [world.create.events[0]] * 3


def test_the_context_tells_the_time_left():
    """As Lambda's does, by the pool's clock; each call has an id of its own."""
    contexts = []
    world = World(duplicate_triggers=2)

    def define(event, context):
        before = context.get_remaining_time_in_millis()
        world.clock.advance(2)
        assert context.invoked_function_arn.endswith(f":{context.function_name}")
        contexts.append((before, context.get_remaining_time_in_millis(), context.aws_request_id))
        return {**event, "response": {"challengeName": "CUSTOM_CHALLENGE"}}

    world.define.trigger = define
    world.begin()
    assert [entry[:2] for entry in contexts] == [(5000, 3000), (5000, 3000)]
    assert contexts[0][2] != contexts[1][2]


def test_a_trigger_may_call_back_into_the_pool():
    """Looking a user up, changing one and even a whole other sign-in from inside a trigger do not block."""
    world = World(clock=ThreadedClock())
    inner = []

    def verify(event, context):
        pool = world.pool
        pool.admin_get_user(UserPoolId=pool.pool_id, Username="ann")
        pool.admin_set_user_password(UserPoolId=pool.pool_id, Username="ann", Password="N3w-password", Permanent=True)
        if not inner:
            inner.append(world.begin())
            inner.append(world.answer(inner[0], "271828"))
        return {**event, "response": {"answerCorrect": True}}

    world.verify.trigger = verify
    assert "AuthenticationResult" in world.answer(world.begin(), "271828")
    assert "AuthenticationResult" in inner[1]


def test_a_failing_sign_in_by_password_does_not_ask_define():
    """A wrong signature ends the sign-in; {PASSWORD_VERIFIER, false} never appears."""
    world = World(PasswordThenCode())
    client = world.srp(password="wrong")
    with pytest.raises(ClientError) as error:
        world.prove(client, world.begin_srp(client))
    assert (code_of(error), text_of(error)) == ("NotAuthorizedException", INCORRECT)
    assert len(world.define.events) == 1
