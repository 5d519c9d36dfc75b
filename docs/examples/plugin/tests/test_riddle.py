"""The riddle under the contract of every kind, and what is its own."""

import pytest
from watchword_riddle import Riddle

from watchword import ConfigurationError
from watchword.testing import KindContract, create_request, verify_request

PIANO = Riddle(question="What has keys and opens no lock?", answer="a piano")


class TestRiddle(KindContract):
    kind = PIANO
    right = "a piano"
    refused = ({"question": ""}, {"answer": " "}, {"answer": "ein Flügel"}, {"question": "a\nb"})


@pytest.mark.parametrize("answer", ["a piano", "A Piano", "  a   PIANO "])
def test_case_and_spaces_do_not_matter(answer):
    """People type as they like."""
    challenge = PIANO.create(create_request(PIANO))

    assert PIANO.verify(verify_request(PIANO, challenge, answer)).right


@pytest.mark.parametrize("answer", ["", " ", "-", "\u200b", "ein Flügel"])
def test_an_answer_of_which_nothing_is_left_is_refused(answer):
    """Otherwise whoever presses Enter is in."""
    with pytest.raises(ConfigurationError, match="riddle: answer must be"):
        Riddle(question="Why?", answer=answer)
