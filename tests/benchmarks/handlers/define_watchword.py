"""Define by Watchword, set up as Lambda does for a function that only defines."""

from watchword import Flow
from watchword_adapters.aws_lambda import triggers
from watchword_plugins.email_otp import EmailOtp

handler = triggers(Flow(EmailOtp(length=8, attempts=3), name="acme")).define
