"""Create with a picture by Watchword: one container, its ledger in memory."""

from watchword import Flow
from watchword_adapters.aws_lambda import triggers
from watchword_plugins.captcha import Captcha

handler = triggers(Flow(Captcha(), name="acme"), key=bytes(range(32)), ledger="process-only").create
