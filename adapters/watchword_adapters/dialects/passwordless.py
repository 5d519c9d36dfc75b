"""The dialect of amazon-cognito-passwordless-auth, the client of AWS's sample, as of release 0.17.0.

The client begins without parameters, and Create answers with a round of its name: ``PROVIDE_AUTH_PARAMETERS``, with the passkey
challenge in ``fido2options``. Which method the client has chosen it says in the client metadata of its answer. For the engine that
round is one of the flow's own: the passkey's, or a choice, in which a method is chosen, or answered for at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from attrs import Factory, evolve, field, frozen

from watchword.algebra import derivative
from watchword.algebra.evaluation import ACTION, CHOICE, REDIRECT, AnswerRequest, SessionRequest
from watchword.algebra.flow import Decision, FailAuthentication, Flow, Present, ReadRound
from watchword.errors import ConfigurationError, ProtocolError, TryLaterError
from watchword_adapters.dialects.passwordless_words import (
    FIDO2,
    MAGIC_LINK,
    NO_SECOND_ROUND,
    SMS_OTP_STEPUP,
    hear,
    is_answer,
    method_of,
)

# A function that only defines loads this module too: what it does not need is imported where it is used.
if TYPE_CHECKING:
    from watchword.algebra.lowering import Step
    from watchword.runtime.creation import CreatedChallenge
    from watchword.runtime.services import Services

NOT_SUPPORTED = {
    MAGIC_LINK: "Sign-in with Magic Link not supported",
    SMS_OTP_STEPUP: "Step-up authentication with SMS OTP not supported",
    FIDO2: "Sign-in with FIDO2 (Face/Touch) not supported",
}
"""What the client is told of a method that the flow does not have, in the words of the sample."""

ANYTHING_ELSE = "Internal Server Error"
_NO_LINK_NOW = "We can't send you a magic link right now, please try again in a minute"
NAME, PARAMETERS_ROUND = "challenge", "PROVIDE_AUTH_PARAMETERS"
OPTIONS = "fido2options"
KIND = "passkey"
_REDIRECT_URI, _LONGEST_URI = "redirectUri", 300
_PHONE, _ANY_PHONE = "phoneNumber", "+" + "*" * 11
_MOVED = "moved_challenge"

_FITS: Mapping[str, Callable[[Step], bool]] = {
    FIDO2: lambda step: step.kind.kind == KIND,
    MAGIC_LINK: lambda step: step.powers.links,
    SMS_OTP_STEPUP: lambda step: step.powers.with_token and step.powers.channel == "sms",
}
"""Which steps each method is for."""

_REMEDY = {
    FIDO2: f"a kind {KIND!r}",
    MAGIC_LINK: "a kind with links",
    SMS_OTP_STEPUP: "a kind that sends by SMS with with_token = true",
}


class MethodError(ProtocolError):
    """Raised if the client asks for what the flow does not have. Its text is for the client's user."""


def _methods_of_dialect(dialect: Passwordless) -> dict[str, dict[str, str]]:
    return steps_of_methods(dialect.flows)


@frozen
class Passwordless:
    """The dialect for *flows*, the first of which is the one in use.

    A client that says no method is taken at its word: it speaks the engine's own language. So an application may have both.
    """

    flows: tuple[Flow, ...]
    _methods: dict[str, dict[str, str]] = field(
        default=Factory(_methods_of_dialect, takes_self=True), init=False, repr=False, eq=False
    )

    def check(self) -> None:
        """Check that each method of the flow can be taken in the first round, which sends nothing, and that nothing comes behind it."""
        from watchword.analysis.state_space import every_outcome_of  # noqa: PLC0415 - a function that defines only does not check

        flow = self.flows[0]
        found = steps_by_method(flow)
        for method, steps in found.items():
            if len(steps) > 1:
                raise ConfigurationError(
                    f"the passwordless client says {method} and no more, and the flow {flow.name!r} has several steps for it, "
                    f"{', '.join(steps)}: leave all but one out"
                )
        if not any(found.values()):
            raise ConfigurationError(
                f"the flow {flow.name!r} has no step that the passwordless client can sign in with: add {', or '.join(_REMEDY.values())}"
            )
        for outcomes in every_outcome_of(flow.conditions):
            for method, steps in found.items():
                for step in steps:
                    _check_beginning(flow, flow.given(*outcomes), method, step)

    @property
    def has_api(self) -> bool:
        """Passkeys are registered by an API; links and codes need none."""
        return passkey_of(self.flows[0]) is not None

    def session_request(self, event: Mapping[str, Any], request: SessionRequest) -> SessionRequest:
        """Say in the engine's words what the client has answered for or chosen in the last round, if it says a method."""
        last = next(reversed(request.session), None)
        asked = derivative.read_metadata(last.metadata) if last else None
        said = _metadata(event)
        heard = hear(said, asked, self._methods)
        if heard is None:
            return request
        action, choice, _ = heard
        redirect = self._redirect(said, asked) if choice and asked and method_of(said) == MAGIC_LINK else ""
        return evolve(request, client_metadata=_words(action, choice, redirect))

    def answer_request(self, event: Mapping[str, Any], request: AnswerRequest) -> AnswerRequest:
        """The same for Verify, with the private parameters as they were sealed."""
        private, said = _without_name(request.private), _metadata(event)
        asked = {name: each if isinstance(each := private.get(name), str) else "" for name in ("flow", "step")}
        heard, method = hear(said, asked, self._methods), method_of(said)
        if heard is None or method is None:
            return evolve(request, private=private)
        step = self._methods.get(asked["flow"], {}).get(method)
        if step is None or asked["step"] not in {derivative.SELECT, step}:
            if method not in NOT_SUPPORTED:
                raise ProtocolError("the client names a method that nobody knows")
            raise MethodError(NOT_SUPPORTED[method])
        action, choice, _ = heard
        if choice and method == MAGIC_LINK and not is_answer(said) and not self._redirect(said, asked):
            raise MethodError(f"Invalid redirectUri: {_shown(said.get(_REDIRECT_URI))}")
        return evolve(request, private=private, client_metadata=_words(action, choice))

    def with_issued(self, request: AnswerRequest, services: Services) -> AnswerRequest:
        """Take a challenge that the API gave out, whoever the client is: it is used up for this round."""
        from watchword_adapters.dialects.sign_in_challenges import spent_challenge  # noqa: PLC0415 - see above

        spent = spent_challenge(services, request.pool, request.answer, request.private.get("round"))
        return evolve(request, issued=(spent,) if spent else ())

    def decision(self, event: Mapping[str, Any], request: SessionRequest, decision: Decision) -> Decision:
        """A passkey or a link brings tokens or a failure, and a request what it was made for: the client throws at anything else."""
        last = next(reversed(request.session), None)
        asked = derivative.read_metadata(last.metadata) if last else None
        heard = hear(_metadata(event), asked, self._methods)
        follows = heard[2] if heard else None
        over = follows is not None and isinstance(decision, Present) and decision.step != follows
        return FailAuthentication(NO_SECOND_ROUND) if over else decision

    def challenge(self, request: SessionRequest, created: CreatedChallenge) -> CreatedChallenge:
        """Name the first round as the client knows it, and show it what it looks for: the passkey's challenge, or a number."""
        if request.session:
            return self._with_number(created)
        options = _options(created.public)
        shown = {NAME: PARAMETERS_ROUND} | ({OPTIONS: options} if options else {})
        return evolve(created, public={**created.public, **shown}, private=_with_name(created.private))

    def text(self, event: Mapping[str, Any], error: BaseException) -> str | None:
        """The sample tells its users what a method lacks, and little else. Before its first answer no client has said a method."""
        if isinstance(error, MethodError):
            return str(error)
        request, method = _fields(event.get("request")), method_of(_metadata(event))
        if isinstance(error, TryLaterError) and method == MAGIC_LINK:
            return _NO_LINK_NOW
        answered = bool(request.get("session") or request.get("privateChallengeParameters"))
        return None if answered and method is None else ANYTHING_ELSE

    def _with_number(self, created: CreatedChallenge) -> CreatedChallenge:
        """Show where a code went by SMS. Before a factor is proven, nobody is shown anything of a user: then it is a constant."""
        asked = derivative.read_metadata(created.metadata)
        step = self._methods.get(asked["flow"], {}).get(SMS_OTP_STEPUP) if asked else None
        if step is None or created.public.get("step") != step:
            return created
        return evolve(created, public={**created.public, _PHONE: created.public.get("destination") or _ANY_PHONE})

    def _redirect(self, said: Mapping[str, object], asked: Mapping[str, str]) -> str:
        """Return the kind's name for where the client wants the link to lead; nothing if the kind has no such address."""
        name, address = self._methods.get(asked["flow"], {}).get(MAGIC_LINK), said.get(_REDIRECT_URI)
        steps = [each.steps[name] for each in self.flows if name and each.fingerprint == asked["flow"]][:1]
        return next((key for step in steps for key, each in step.powers.redirects.items() if each == address), "")


def steps_by_method(flow: Flow) -> dict[str, tuple[str, ...]]:
    """Return the names of the steps of *flow* that each method is for."""
    steps = {name: step for name, step in flow.steps.items() if not step.enrols}
    return {method: tuple(name for name, step in steps.items() if fits(step)) for method, fits in _FITS.items()}


def steps_of_methods(flows: Sequence[Flow]) -> dict[str, dict[str, str]]:
    """Return the one step that each method is for, by method, by the fingerprint of the flow."""
    return {
        flow.fingerprint: {method: steps[0] for method, steps in steps_by_method(flow).items() if len(steps) == 1}
        for flow in flows
    }


def passkey_of(flow: Flow) -> str | None:
    """Return the name of the one step of *flow* that asks for a passkey."""
    return steps_of_methods((flow,))[flow.fingerprint].get(FIDO2)


def _check_beginning(flow: Flow, begun: Flow, method: str, step: str) -> None:
    """Check that *step* of *flow*, which has *begun*, can be taken by *method* in the first round.

    Raises:
        ConfigurationError: if it cannot; the message names the step and the remedy.
    """
    decision, powers = begun.decide(), flow.steps[step].powers
    asked = decision.step if isinstance(decision, Present) else "nothing that a client without a password can answer"
    choices = decision.choices if isinstance(decision, Present) else ()
    if step not in {asked, *choices}:
        raise ConfigurationError(
            f"the passwordless client answers for {step!r} at once, and the flow {flow.name!r} begins with {asked}: "
            f"begin with {step!r}, or with a choice that has it"
        )
    if asked == step and powers.sends:
        raise ConfigurationError(
            f"the first round of the passwordless client sends nothing, and the flow {flow.name!r} begins with {step!r}, which sends: "
            "put it into a choice, or under ask_first"
        )
    if method == MAGIC_LINK and powers.opens != "anywhere":
        raise ConfigurationError(
            f"the passwordless client opens a link in a sign-in of its own where the browser keeps none, and the links of {step!r} are good "
            'in the sign-in that asked for them alone: write opens = "anywhere", and read what that means for mail scanners'
        )
    if asked != step and method != SMS_OTP_STEPUP and not flow.steps[step].offered:
        raise ConfigurationError(
            f"the passwordless client answers for {step!r} where it could choose, and that step offers no challenge there: "
            f"begin with {step!r}, or take a kind that offers one"
        )
    chosen = begun if asked == step else begun.after(ReadRound.custom(derivative.SELECT, right=False))
    if chosen.after(ReadRound.custom(step, right=True)).state[0] != derivative.PASSED:
        raise ConfigurationError(
            f"the passwordless client takes tokens or a failure after {step!r}, and the flow {flow.name!r} goes on behind it"
        )


def _shown(address: object) -> str:
    """Return *address*, which a client said, as its user may read it: nothing if that would be no line."""
    return address if isinstance(address, str) and address.isprintable() and len(address) <= _LONGEST_URI else ""


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


def _words(action: str | None, choice: str | None, redirect: str = "") -> dict[str, str]:
    """Return client metadata in the engine's words."""
    said = {ACTION: action, CHOICE: choice, REDIRECT: redirect}
    return {name: value for name, value in said.items() if value}


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
