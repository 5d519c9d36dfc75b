"""The test kit: what the author of a plugin or of a flow needs to test it, without AWS, network or sleep."""

from watchword.testing.hostile import hostile_answers
from watchword.testing.kinds import KindContract
from watchword.testing.requests import ANN, NOBODY, NOW, create_request, verify_request

__all__ = ["ANN", "NOBODY", "NOW", "KindContract", "create_request", "hostile_answers", "verify_request"]
