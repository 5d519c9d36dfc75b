"""Assertions on a flow: what it must prove, and what it decides after a session."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from watchword.algebra.evaluation import ACTION, CHOICE, SessionRequest, evaluate
from watchword.algebra.flow import Decision, Flow, Round
from watchword.contract.kinds import User
from watchword.testing.session_lists import session_from_text


def assert_flow(flow: Flow, require: str = "", *, session_minutes: float = 3) -> None:
    """Fail unless `watchword.check` finds *flow* sound.

    *require* is what every path must prove (``"knowledge and possession"``), beside what the flow itself requires;
    *session_minutes* is how long the host waits for an answer, 3 to 15.

    Raises:
        AssertionError: if there are errors; it lists each, with the shortest session that shows it, for `decision_after`.
        ConfigurationError: if *require* cannot be read.
    """
    __tracebackhide__ = True
    from watchword.analysis.checks import check  # noqa: PLC0415 - a driver's test checks nothing

    errors = check(flow, require=require, session_minutes=session_minutes).errors
    if not errors:
        return
    lines = [f"flow {flow.name!r} is not sound: {len(errors)} error{'s' * (len(errors) > 1)}"]
    for error in errors:
        lines.append(f"  {error.code} {error.message}")
        if error.session is not None:
            given = {"attributes": dict(error.attributes), "client": error.client, "enrolled": error.enrolled}
            told = ", ".join(
                [repr(" ".join(error.session)), *(f"{name}={said!r}" for name, said in given.items() if said)]
            )
            lines.append(f"        shortest session: decision_after(flow, {told})")
    raise AssertionError("\n".join(lines))


def decision_after(
    flow: Flow,
    session: str | Sequence[Round],
    *,
    attributes: Mapping[str, str] | None = None,
    client: str = "",
    known: bool = True,
    enrolled: Collection[str] = (),
) -> Decision:
    """Return what *flow* decides after *session*: rounds, or words such as ``"srp_a+ password_verifier+ email_otp-"``.

    *attributes* and *known* are the user's, *client* is the id of the app client, *enrolled* are the kinds of which the user
    had a credential when the sign-in began; conditions are decided by them.

    Raises:
        ConfigurationError: for a word that is no round; the message lists what there is.
    """
    said: dict[str, str] = {}
    if isinstance(session, str):
        # Metadata is written before the answer: that the last round was a resend is told by the client.
        # So is what an answered choice was answered for.
        word = session.split()[-1] if session.split() else ""
        said = {ACTION: "resend"} if word.endswith("~") else {}
        if word.startswith("select:"):
            said = {ACTION: "answer", CHOICE: word[len("select:") : -1]}
        session = session_from_text(flow, session, attributes=attributes, client=client, known=known, enrolled=enrolled)
    user = User("ann", dict(attributes or {}), known)
    return evaluate(SessionRequest("local_watchword", client, user, tuple(session), said), (flow,), enrolled).decision
