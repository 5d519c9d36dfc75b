"""For back ends: whether what a token tells is enough for a request, and else the challenge of RFC 9470."""

from watchword_adapters.step_up.api_gateway import step_up_reply
from watchword_adapters.step_up.requirements import StepUpChallenge, StepUpRequirement, step_up_challenge

__all__ = ["StepUpChallenge", "StepUpRequirement", "step_up_challenge", "step_up_reply"]
