"""The dialect of amazon-cognito-passwordless-auth, the client of AWS's sample, as of release 0.17.0.

The client begins without parameters, and Create answers with a round of its name: ``PROVIDE_AUTH_PARAMETERS``, with the passkey
challenge in ``fido2options``. Which method the client has chosen it says in the client metadata of its answer. For the engine that
round is one of the flow's own: the passkey's, or a choice that may be answered for the passkey.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from attrs import evolve, frozen

from watchword.algebra import derivative
from watchword.algebra.evaluation import ACTION, CHOICE, AnswerRequest, SessionRequest
from watchword.algebra.flow import Decision, FailAuthentication, Flow, Present, ReadRound
from watchword.errors import ConfigurationError, ProtocolError
from watchword_adapters.dialects.passwordless_words import ANSWER, FIDO2, NO_SECOND_ROUND, ends_at_once, hear, method_of

# A function that only defines loads this module too: what it does not need is imported where it is used.
if TYPE_CHECKING:
    from watchword.runtime.creation import CreatedChallenge
    from watchword.runtime.services import Services

NOT_SUPPORTED = {
    "MAGIC_LINK": "Sign-in with Magic Link not supported",
    "SMS_OTP_STEPUP": "Step-up authentication with SMS OTP not supported",
    FIDO2: "Sign-in with FIDO2 (Face/Touch) not supported",
}
"""What the client is told of a method that the flow does not have, in the words of the sample."""

ANYTHING_ELSE = "Internal Server Error"
NAME, PARAMETERS_ROUND = "challenge", "PROVIDE_AUTH_PARAMETERS"
OPTIONS = "fido2options"
_MOVED = "moved_challenge"
KIND = "passkey"


class MethodError(ProtocolError):
    """Raised if the client asks for a method that the flow does not have."""


@frozen
class Passwordless:
    """The dialect for *flows*, the first of which is the one in use.

    A client that says no method is taken at its word: it speaks the engine's own language. So an application may have both.
    """

    flows: tuple[Flow, ...]

    def check(self) -> None:
        """Check that a passkey may be answered at once, in each beginning of the flow, and that nothing comes behind it."""
        from watchword.analysis.state_space import every_outcome_of  # noqa: PLC0415 - a function that defines only does not check

        flow = self.flows[0]
        step = passkey_of(flow)
        if step is None:
            raise ConfigurationError(
                f"the flow {flow.name!r} has no step of kind {KIND!r}, or more than one, and the passwordless client signs in "
                f"with {KIND}s: add one, such as one_of(Passkey(…), EmailOtp())"
            )
        for outcomes in every_outcome_of(flow.conditions):
            self._check_beginning(flow, flow.given(*outcomes), step)

    def _check_beginning(self, flow: Flow, begun: Flow, step: str) -> None:
        decision = begun.decide()
        asked = (
            decision.step if isinstance(decision, Present) else "nothing that a client without a password can answer"
        )
        choices = decision.choices if isinstance(decision, Present) else ()
        if step not in {asked, *choices}:
            raise ConfigurationError(
                f"the passwordless client answers for {step!r} at once, and the flow {flow.name!r} begins with {asked}: "
                f"begin with {step!r}, or with a choice that has it"
            )
        if asked != step and not flow.steps[step].offered:
            raise ConfigurationError(
                f"the passwordless client answers for {step!r} where it could choose, and that step offers no challenge there: "
                f"begin with {step!r}, or take a kind that offers one"
            )
        chosen = begun if asked == step else begun.after(ReadRound.custom(derivative.SELECT, right=False))
        if chosen.after(ReadRound.custom(step, right=True)).state[0] != derivative.PASSED:
            raise ConfigurationError(
                f"the passwordless client takes tokens or a failure after {step!r}, and the flow {flow.name!r} goes on behind it"
            )

    def session_request(self, event: Mapping[str, Any], request: SessionRequest) -> SessionRequest:
        """Say in the engine's words that the last round was answered for the passkey, if the client says so."""
        last = next(reversed(request.session), None)
        asked = derivative.read_metadata(last.metadata) if last else None
        heard = hear(_metadata(event), asked, passkeys_of(self.flows))
        return request if heard is None else evolve(request, client_metadata=_words(*heard))

    def answer_request(self, event: Mapping[str, Any], request: AnswerRequest) -> AnswerRequest:
        """The same for Verify, with the private parameters as they were sealed."""
        private = _without_name(request.private)
        method, flow = method_of(_metadata(event)), private.get("flow")
        step = passkeys_of(self.flows).get(flow) if isinstance(flow, str) else None
        if method is None:
            return evolve(request, private=private)
        if method != FIDO2 or step is None:
            raise MethodError(NOT_SUPPORTED.get(method, "the client names a method that nobody knows"))
        words = _words(ANSWER, step) if private.get("kind") == derivative.SELECT else {}
        return evolve(request, private=private, client_metadata=words)

    def with_issued(self, request: AnswerRequest, services: Services) -> AnswerRequest:
        """Take a challenge that the API gave out, whoever the client is: it is used up for this round."""
        from watchword_adapters.dialects.sign_in_challenges import spent_challenge  # noqa: PLC0415 - see above

        spent = spent_challenge(services, request.pool, request.answer, request.private.get("round"))
        return evolve(request, issued=(spent,) if spent else ())

    def decision(self, event: Mapping[str, Any], request: SessionRequest, decision: Decision) -> Decision:
        """A passkey brings tokens or a failure: the client throws at a second round."""
        over = ends_at_once(_metadata(event), len(request.session)) and isinstance(decision, Present)
        return FailAuthentication(NO_SECOND_ROUND) if over else decision

    def challenge(self, request: SessionRequest, created: CreatedChallenge) -> CreatedChallenge:
        """Name the first round as the client knows it, and show it the challenge for the passkey."""
        if request.session:
            return created
        options = _options(created.public)
        shown = {NAME: PARAMETERS_ROUND} | ({OPTIONS: options} if options else {})
        return evolve(created, public={**created.public, **shown}, private=_with_name(created.private))

    def text(self, event: Mapping[str, Any], error: BaseException) -> str | None:
        """The sample tells its users what a method lacks, and nothing else. Before its first answer no client has said a method."""
        if isinstance(error, MethodError) and str(error) in NOT_SUPPORTED.values():
            return str(error)
        request = _fields(event.get("request"))
        answered = bool(request.get("session") or request.get("privateChallengeParameters"))
        return None if answered and method_of(_metadata(event)) is None else ANYTHING_ELSE


def passkey_of(flow: Flow) -> str | None:
    """Return the name of the one step of *flow* that asks for a passkey."""
    names = [name for name, step in flow.steps.items() if step.kind.kind == KIND and not step.enrols]
    return names[0] if len(names) == 1 else None


def passkeys_of(flows: Sequence[Flow]) -> dict[str, str]:
    """Return the name of the step that asks for a passkey, by the fingerprint of the flow."""
    named = ((flow.fingerprint, passkey_of(flow)) for flow in flows)
    return {fingerprint: step for fingerprint, step in named if step}


def _with_name(private: Mapping[str, str]) -> dict[str, str]:
    """Return *private* with the name of the parameters round. What the kind calls so itself moves aside: all of it is sealed."""
    moved = {_MOVED: private[NAME]} if NAME in private else {}
    return {**private, **moved, NAME: PARAMETERS_ROUND}


def _without_name(private: Mapping[str, object]) -> dict[str, object]:
    """Return *private* as it was before `_with_name`; as it is, if that is another round's."""
    if private.get(NAME) != PARAMETERS_ROUND:
        return dict(private)
    own = {name: value for name, value in private.items() if name not in {NAME, _MOVED}}
    return own | ({NAME: private[_MOVED]} if _MOVED in private else {})


def _metadata(event: Mapping[str, Any]) -> dict[str, Any]:
    return dict(_fields(_fields(event.get("request")).get("clientMetadata")))


def _words(action: str | None, choice: str | None) -> dict[str, str]:
    """Return client metadata in the engine's words."""
    return {name: value for name, value in ((ACTION, action), (CHOICE, choice)) if value}


def _fields(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _options(public: Mapping[str, str]) -> str:
    """Return the options for a passkey as the client reads them, from those of the standard; nothing if there are none.

    What is absent is left out: null is no option for the client.
    """
    offers = [json.loads(text) for name, text in public.items() if name.startswith("offer_")]
    found = next((each["options"] for each in (public, *offers) if "options" in each), None)
    if found is None:
        return ""
    options: dict[str, Any] = json.loads(found)
    listed = [
        {name: each[name] for name in ("id", "transports") if each.get(name)}
        for each in options.get("allowCredentials") or ()
    ]
    named = {
        "challenge": options["challenge"],
        "timeout": options.get("timeout"),
        "userVerification": options.get("userVerification"),
        "relyingPartyId": options.get("rpId"),
        "credentials": listed or None,
    }
    return json.dumps({name: value for name, value in named.items() if value is not None}, separators=(",", ":"))
