"""What the page on deployment prints builds, deploys and signs in, from a wheel, on an emulator of AWS."""

import json
import re
import secrets

from conftest import CHECKOUT
from emulator import mails

PAGE = CHECKOUT / "docs" / "how-to" / "deploy-to-aws.md"


def code_of(cloud, digits, after=0):
    """Return the code in the last mail."""
    assert len(mails(cloud)) > after
    return re.findall(rf"(?<![0-9A-Za-z#])\d{{{digits}}}(?![0-9A-Za-z])", mails(cloud)[-1]["BodyText"])[0]


def signed_in(deployer, client, user, session, code):
    """Answer a mailed code by the command line of AWS; return the tokens."""
    printed = deployer.told(
        f"aws cognito-idp respond-to-auth-challenge --client-id {client} --challenge-name CUSTOM_CHALLENGE"
        f" --session {session} --challenge-responses USERNAME={user},ANSWER={code} --output json"
    )
    return json.loads(printed)["AuthenticationResult"]


def enrolled(deployer, pool, user):
    """Add a user to the pool, with a verified address and a password that nobody knows."""
    deployer.told(
        f"aws cognito-idp admin-create-user --user-pool-id {pool} --username {user} --message-action SUPPRESS"
        f" --user-attributes Name=email,Value={user} Name=email_verified,Value=true &&"
        f" aws cognito-idp admin-set-user-password --user-pool-id {pool} --username {user} --permanent"
        f" --password Aa1-{secrets.token_urlsafe(24)}"
    )


def begun(deployer, client, user="ann@example.com"):
    """Begin a sign-in; return its session."""
    return deployer.told(
        f"aws cognito-idp initiate-auth --client-id {client} --auth-flow CUSTOM_AUTH"
        f" --auth-parameters USERNAME={user} --query Session --output text"
    )


def test_the_page_deploys_and_deploys_a_changed_flow(deployer, cloud):
    """Build, template, upload, deploy; then again: the new flow runs, and a sign-in of the old one goes on to its end."""
    deployer.reads(PAGE, sections=["Before you begin", "Build", "Deploy", "Sign in"])
    pool, client, session = deployer.told('echo "$POOL $CLIENT $SESSION"').split()
    old = code_of(cloud, 8)
    deployer.reads(PAGE, sections=["Deploy a changed flow"])
    assert {"AccessToken", "IdToken", "RefreshToken"} <= set(
        signed_in(deployer, client, "ann@example.com", session, old)
    )
    before = len(mails(cloud))
    session = begun(deployer, client)
    assert signed_in(deployer, client, "ann@example.com", session, code_of(cloud, 10, before))
    begun(deployer, client)
    # Three times: a secret keeps two values, so the first key has left by then.
    for user in ("bob@example.com", "cat@example.com", "dan@example.com"):
        enrolled(deployer, pool, user)
        before = len(mails(cloud))
        session = begun(deployer, client, user)
        deployer.reads(PAGE, sections=["Rotate the key", "End warm containers"])
        assert signed_in(deployer, client, user, session, code_of(cloud, 10, before))
    # Ann's budget of messages, which three sign-ins used up, is still hers: by another root she would have another one.
    before = len(mails(cloud))
    begun(deployer, client)
    assert before == len(mails(cloud))
    deployer.reads(PAGE, sections=["Look for what is wrong"])
    assert pool


def test_a_plugin_of_ones_own_is_built_deployed_and_signs_in(deployer, cloud):
    """A scaffolded distribution, tested, made a wheel, installed from it, and named by a flow that the page's commands deploy."""
    deployer.reads(PAGE, sections=["Before you begin"])
    deployer.does(
        "python -m venv .venv && . .venv/bin/activate && pip install 'watchword[all]' pytest",
        "watchword new plugin house_riddle --directory plugin",
        "(cd plugin && pip install -e '.[test]' && pytest && pip uninstall -y watchword-house-riddle)",
        "pip wheel --no-deps --wheel-dir wheels ./plugin && pip install wheels/*.whl && rm -r plugin",
        """printf 'name = "riddled"\\n[[steps]]\\nkind = "email_otp"\\n[[steps]]\\nkind = "house_riddle"\\n' > flow.toml""",
    )
    deployer.reads(PAGE, sections=["Build", "Deploy", "Sign in"])
    client, session = deployer.told('echo "$CLIENT $SESSION"').split()
    answered = (
        f"aws cognito-idp respond-to-auth-challenge --client-id {client} --challenge-name CUSTOM_CHALLENGE"
        " --challenge-responses 'USERNAME=ann@example.com,ANSWER={answer}' --session {session} --output json"
    )
    asked = json.loads(deployer.told(answered.format(answer=code_of(cloud, 8), session=session)))
    assert "house_riddle" == asked["ChallengeParameters"]["kind"]
    done = json.loads(deployer.told(answered.format(answer="a piano", session=asked["Session"])))
    assert {"AccessToken", "IdToken", "RefreshToken"} <= set(done["AuthenticationResult"])
