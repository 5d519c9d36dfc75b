"""An authenticator by soft-webauthn, for its own environment: it wants an older fido2 than Watchword.

Each line on standard input is a JSON object with `call` (`create` or `get`), the W3C's `options` and the `origin` of the page. Each
line of output is the credential in the W3C's JSON form.
"""

import base64
import json
import sys

from soft_webauthn import SoftWebauthnDevice


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encoded(value):
    """Return *value* with each bytes in unpadded base64url."""
    if isinstance(value, bytes):
        return base64.urlsafe_b64encode(value).decode().rstrip("=")
    return {name: encoded(each) for name, each in value.items()} if isinstance(value, dict) else value


device = SoftWebauthnDevice()
for line in sys.stdin:
    asked = json.loads(line)
    options = asked["options"] | {"challenge": decode(asked["options"]["challenge"])}
    if asked["call"] == "create":
        options["user"] = options["user"] | {"id": decode(options["user"]["id"])}
    made = getattr(device, asked["call"])({"publicKey": options}, asked["origin"])
    print(json.dumps(encoded(made | {"id": made["id"].decode().rstrip("=")})), flush=True)
