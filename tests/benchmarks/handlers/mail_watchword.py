"""Create with a code by mail by Watchword: one container, its ledger in memory, the mail kept in an outbox."""

from watchword import Flow
from watchword_adapters.aws_lambda import triggers
from watchword_adapters.couriers import Outbox
from watchword_plugins.email_otp import EmailOtp

handler = triggers(
    Flow(EmailOtp(length=8, attempts=3), name="acme"), key=bytes(range(32)), ledger="process-only", courier=Outbox()
).create
