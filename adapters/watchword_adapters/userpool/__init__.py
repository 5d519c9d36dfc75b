"""A local user pool that plays Amazon Cognito: see `LocalUserPool`."""

from watchword_adapters.userpool.api.app_client import secret_hash
from watchword_adapters.userpool.api.errors import ClientError
from watchword_adapters.userpool.directory.database import Database
from watchword_adapters.userpool.outbox import SentMessage
from watchword_adapters.userpool.pool import LocalUserPool

__all__ = ["ClientError", "Database", "LocalUserPool", "SentMessage", "secret_hash"]
