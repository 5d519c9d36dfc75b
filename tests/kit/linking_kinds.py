"""A kind with links, as small as can be, and what it sends."""

from typing import ClassVar

from attrs import frozen

from watchword import Challenge, Email, Verdict

REDIRECTS = {"web": "https://app.example/sign-in", "app": "https://app.example/mobile"}


@frozen
class Linked:
    """A mail with a code and a ticket, a line each."""

    kind: ClassVar[str] = "linked"
    proves: ClassVar[frozenset[str]] = frozenset({"possession"})
    channel: ClassVar[str] = "email"
    redirects: ClassVar[dict[str, str]] = REDIRECTS

    opens: str = "same_browser"
    attempts: int = 3
    lifetime: int = 180
    resend_after: int = 60
    longest_answer: ClassVar[int] = 2048

    def create(self, request):
        """Send both."""
        code = request.code("0123456789", 8)
        to = request.user.attributes.get("email", "")
        where = self.redirects[request.redirect or "web"]
        return Challenge(
            private={"digest": request.seal(code)},
            messages=(Email(to, "Sign in", f"{code}\n\n{where}#{request.ticket()}\n"),) if to else (),
        )

    def offer(self, request):
        """Nothing but a link can answer it."""
        return Challenge(private={"digest": ""})

    def verify(self, request):
        """Take either."""
        if "." in request.answer:
            return request.redeem(request.answer)
        return Verdict(request.matches(request.private.get("digest"), request.answer), "wrong")

    def guess_probability(self):
        """Of the code."""
        return 1e-8


def ticket_of(message):
    """Return the ticket in *message*."""
    return message.text.split("#")[1].strip()


def redirect_of(message):
    """Return where the link in *message* leads."""
    return message.text.split("\n")[2].split("#")[0]
