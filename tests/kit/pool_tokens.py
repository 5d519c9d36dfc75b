"""Access tokens of a pool on AWS, with a key that is drawn for the tests; and how the pool refuses one."""

from kit.engine_host import ANN
from kit.user_pool import START
from watchword_adapters.userpool.sign_in.signing_keys import new_private_key, signing_key

POOL = "us-east-1_Abc123"
ISSUER = f"https://cognito-idp.us-east-1.amazonaws.com/{POOL}"
NOW = int(START)
KEY = signing_key(new_private_key())
_CLAIMS = {
    "iss": ISSUER,
    "client_id": "web",
    "token_use": "access",
    "sub": ANN["sub"],
    "iat": NOW,
    "exp": NOW + 3600,
    "auth_time": NOW,
}


def signed(key=KEY, **changed):
    """A token of Ann, who has just signed in; a claim that is *changed* to None is left out."""
    return key.token({name: value for name, value in (_CLAIMS | changed).items() if value is not None})


class RefusedByPoolError(Exception):
    """As boto3 raises it."""

    def __init__(self, code):
        super().__init__(code)
        self.response = {"Error": {"Code": code, "Message": "of the pool"}}
