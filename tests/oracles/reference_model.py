"""What the example flows must decide: a second, independent answer in forty lines, without the engine.

A flow is described plainly, by what follows each way to open a sign-in: ``{"srp": steps, "plain": steps}``. Steps are
``(name, tries)`` in order; a way that is not offered is missing. *written* tells for each metadata text that Create
could have written (step, how the round before ended, whether the step was asked); every other text is foreign.
"""

FAIL = ("fail",)
MFA = {"SMS_MFA", "SOFTWARE_TOKEN_MFA", "EMAIL_OTP", "DEVICE_SRP_AUTH", "DEVICE_PASSWORD_VERIFIER"}


def decision(flow, session, written, *, resend=False):
    """Return ("fail",), ("tokens",), ("present", step) or ("host", "PASSWORD_VERIFIER") for *session*."""
    names = [name for name, _, _ in session]
    opening = "srp" if names[:1] == ["SRP_A"] else "plain"
    if opening not in flow or any(result is not True and result is not False for _, result, _ in session):
        return FAIL
    if opening == "srp":
        if not all(result for _, result, _ in session[:2]) or names[1:2] not in ([], ["PASSWORD_VERIFIER"]):
            return FAIL
        if len(session) == 1:
            return ("host", "PASSWORD_VERIFIER")
    steps = [[name, tries, 5] for name, tries in flow[opening]]
    extra = set()
    for place in range(2 if opening == "srp" else 0, len(session)):
        name, right, metadata = session[place]
        allowed = name in MFA or (name == "NEW_PASSWORD_REQUIRED" and "CUSTOM_CHALLENGE" not in names[:place])
        if allowed and opening == "srp" and right and name not in extra:
            extra.add(name)
            continue
        nothing = (None, None, True)
        step, before, asked = written.get(metadata, nothing) if name == "CUSTOM_CHALLENGE" else nothing
        follows_custom = place > 0 and names[place - 1] == "CUSTOM_CHALLENGE"
        if not steps or step != steps[0][0] or before not in (("answer", "resend") if follows_custom else ("-",)):
            return FAIL
        asked_again = resend
        if place + 1 < len(session):
            after, _, its_metadata = session[place + 1]
            asked_again = after == "CUSTOM_CHALLENGE" and written.get(its_metadata, ("", ""))[1] == "resend"
        if (asked_again and right) or not asked:
            return FAIL
        if right:
            steps.pop(0)
        else:
            left = 2 if asked_again else 1
            steps[0][left] -= 1
            if steps[0][1] == 0 or steps[0][2] < 0:
                return FAIL
    return ("present", steps[0][0]) if steps else ("tokens",)
