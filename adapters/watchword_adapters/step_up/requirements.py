"""What a request needs of the sign-in behind its token, and the challenge where that is not proved (RFC 9470)."""

from __future__ import annotations

import re
import time

from attrs import field, frozen

from watchword.errors import ConfigurationError
from watchword_adapters.aws.token_claims import AT, METHODS
from watchword_adapters.rest.exchange import as_mapping

STEP_UP_SKEW = 5
"""How many seconds the clock of a back end may be behind. A sign-in from further in the future proves nothing."""

_WORDS = re.compile("[a-z][a-z0-9_]*( [a-z][a-z0-9_]*)*")
_TIME = re.compile("[0-9]{1,12}")


@frozen
class StepUpRequirement:
    """What must have been proved: one of *methods*, at most *max_age* seconds ago; one of the two may be left out.

    Each of *methods* is a text of words with spaces between, all of which must be among the token's: ``("pop", "pwd otp")`` is a
    passkey, or both a password and a code. The first is the one that is wanted most.

    Raises:
        ConfigurationError: if nothing is asked for, or something that no token can tell.
    """

    methods: tuple[str, ...] = ()
    max_age: int | None = field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Refuse what would ask for nothing."""
        given: object = self.methods
        if not isinstance(given, tuple) or not all(
            isinstance(each, str) and _WORDS.fullmatch(each) for each in self.methods
        ):
            raise ConfigurationError(
                'methods is a tuple of texts, each of words with single spaces between, such as ("pop", "pwd otp")'
            )
        age: object = self.max_age
        if age is not None and (isinstance(age, bool) or not isinstance(age, int) or age < 0):
            raise ConfigurationError("max_age is a whole number of seconds, 0 or more, or None")
        if not self.methods and age is None:
            raise ConfigurationError("a requirement without methods and max_age asks for nothing: give it one of them")

    @property
    def acr_values(self) -> str:
        """The methods as values of ``acr_values``: words of one are joined by ``+``. No token has them as ``acr``."""
        return " ".join(each.replace(" ", "+") for each in self.methods)


@frozen
class StepUpChallenge:
    """That a token is not enough for what *requirement* asks for; *description* says why."""

    requirement: StepUpRequirement
    description: str

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of the challenge by name (RFC 9470 section 3), all of them texts."""
        said = {"error": "insufficient_user_authentication", "error_description": self.description}
        if self.requirement.methods:
            said["acr_values"] = self.requirement.acr_values
        if self.requirement.max_age is not None:
            said["max_age"] = str(self.requirement.max_age)
        return said

    @property
    def header(self) -> str:
        """The value of ``WWW-Authenticate``; the status beside it is 401 (RFC 9470 section 3)."""
        return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in self.parameters.items())


def step_up_challenge(
    claims: object, requirement: StepUpRequirement, now: float | None = None
) -> StepUpChallenge | None:
    """Return None if *claims* prove what *requirement* asks for, *now* (epoch seconds, or by the clock); else the challenge.

    *claims* are a mapping; anything else, such as None where there is no token, proves nothing. The caller has verified the token: its signature, issuer, client and expiry. Here only the claims are read that `pre_token` of the
    triggers writes. One that is missing, or odd, proves nothing.
    """
    given = as_mapping(claims)
    told = given.get(METHODS)
    words = frozenset(told.split(" ")) if isinstance(told, str) else frozenset[str]()
    if requirement.methods and not any(words.issuperset(each.split(" ")) for each in requirement.methods):
        return StepUpChallenge(requirement, "Another way to sign in is required")
    if requirement.max_age is not None:
        age = (time.time() if now is None else now) - _time_of(given.get(AT))
        if not -STEP_UP_SKEW <= age <= requirement.max_age:
            return StepUpChallenge(requirement, "A more recent sign-in is required")
    return None


def _time_of(told: object) -> float:
    """Return the time that a claim tells; the beginning of time if it tells none."""
    return int(told) if isinstance(told, str) and told.isascii() and _TIME.fullmatch(told) else float("-inf")
