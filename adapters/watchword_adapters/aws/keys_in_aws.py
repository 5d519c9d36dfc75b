"""Read keys from AWS Secrets Manager and SSM Parameter Store."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, cast

from watchword.errors import ConfigurationError, checked_code
from watchword_adapters.aws.aws_client import KeptClient, aws_client
from watchword_adapters.aws.botocore_logging import unlogged

_CONNECT = 0.5
"""Seconds for connecting."""
_READ = 1.0
"""Seconds for each answer."""


class KeySource(Protocol):
    """Where keys are kept. Its text names it, and is no secret."""

    def fetch(self) -> tuple[bytes, ...]:
        """Return the keys, newest first.

        Raises:
            ConfigurationError: if they cannot be had, naming the source, the cause and the remedy.
        """
        ...


class KeptInAws:
    """What the sources in AWS have in common: a name, and a client."""

    service: ClassVar[str]

    def __init__(self, name: str, *, region: str = "", endpoint: str = "") -> None:
        self._name = name
        self.client = LazyClient(self.service, region or _region_of(name), endpoint)

    def fetch(self) -> tuple[bytes, ...]:
        """Return the keys, newest first."""
        raise NotImplementedError

    def _asked(self, operation: str, permission: str, *, or_nothing: str = "", **request: Any) -> Mapping[str, Any]:
        """Return the reply of *operation*, which needs *permission*; nothing if it fails with the code *or_nothing*."""
        try:
            with unlogged():
                return self.client.call(operation, **request)
        except ConfigurationError as error:
            raise ConfigurationError(f"the key source {self}: {error}") from None
        except Exception as error:  # noqa: BLE001 - told apart by its code; its own words may hold anything
            code = _code(error)
            if code == or_nothing:
                return {}
            raise _unreadable(self, code, permission) from None


class SecretsManagerKeys(KeptInAws):
    """The keys of the secret *name* (or its ARN): those of the stage AWSCURRENT, then those of AWSPREVIOUS.

    A stage holds one key, in base64 or as 32 bytes or more, or a list of keys in base64, newest first, with commas
    between. So the oldest key, which names users in budgets, can stay at the end of the list for as long as it should.
    *region* and credentials are boto3's own unless given; *endpoint* is for an emulator.
    """

    service = "secretsmanager"

    def __str__(self) -> str:
        return f"secretsmanager://{self._name}"

    def fetch(self) -> tuple[bytes, ...]:
        """Return the keys, newest first."""
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - keys in the environment need none

        # Both at once: a function has ten seconds to start, and may have another secret to fetch.
        with ThreadPoolExecutor(1) as thread:
            asked = thread.submit(self._stage, "AWSPREVIOUS")
            current = self._stage("AWSCURRENT")
        first, *rest = *current, *asked.result()
        # A key that stands in both lists has the later place: the last one names users.
        return (first, *(key for place, key in enumerate(rest) if key != first and key not in rest[place + 1 :]))

    def _stage(self, stage: str) -> list[bytes]:
        reply = self._asked(
            "get_secret_value",
            "secretsmanager:GetSecretValue",
            or_nothing="ResourceNotFoundException" if stage == "AWSPREVIOUS" else "",
            SecretId=self._name,
            VersionStage=stage,
        )
        if not reply:
            return []
        binary: object = reply.get("SecretBinary")
        if isinstance(binary, bytes):
            return [binary]
        return decoded(reply.get("SecretString"), f"the key source {self} ({stage})")


class ParameterStoreKeys(KeptInAws):
    """The keys of the SecureString *name* of SSM Parameter Store: in base64, newest first, with commas between.

    *region* and credentials are boto3's own unless given; *endpoint* is for an emulator.
    """

    service = "ssm"

    def __str__(self) -> str:
        return f"ssm://{self._name}"

    def fetch(self) -> tuple[bytes, ...]:
        """Return the keys, newest first."""
        reply = self._asked("get_parameter", "ssm:GetParameter", Name=self._name, WithDecryption=True)
        parameter: Mapping[str, Any] = reply["Parameter"]
        if parameter.get("Type") != "SecureString":
            raise ConfigurationError(
                f"the key source {self}: it is a {parameter.get('Type')}, which is kept in clear text: "
                "make it a SecureString, with a new key"
            )
        return tuple(decoded(parameter.get("Value"), f"the key source {self}"))


def decoded(text: object, where: str) -> list[bytes]:
    """Return the keys in *text*, which is base64 with commas between; *where* is for errors.

    Raises:
        ConfigurationError: if it holds none, or what is no base64; the message shows nothing of it.
    """
    if not isinstance(text, str) or not text.strip():
        raise ConfigurationError(f"{where}: it is empty")
    if text.lstrip().startswith("{"):
        raise ConfigurationError(f"{where}: it is JSON; keep the key alone, in base64 (in the console: Plaintext)")
    keys: list[bytes] = []
    for place, part in enumerate(text.split(","), 1):
        if not part.strip():
            continue
        try:
            keys.append(base64.b64decode(part.strip(), validate=True))
        except ValueError:
            raise ConfigurationError(f"{where}: key {place} is no base64") from None
    return keys


class LazyClient:
    """The client of an AWS service, made at the first call, for any number of threads."""

    def __init__(self, service: str, region: str, endpoint: str) -> None:
        self.where = (service, region, endpoint)
        self._client: KeptClient[Any] = KeptClient(self._make)

    def call(self, operation: str, **request: Any) -> Mapping[str, Any]:
        """Return the reply of *operation*.

        Raises:
            ConfigurationError: if no client can be made.
        """
        reply: Mapping[str, Any] = getattr(self._client.ready(), operation)(**request)
        return reply

    def _make(self) -> Any:
        service, region, endpoint = self.where
        # Reading twice does no harm, and the first connection after a pause may be dead.
        return aws_client("it", service, region=region, endpoint=endpoint, connect=_CONNECT, read=_READ, tries=2)


def _region_of(name: str) -> str:
    parts: Sequence[str] = name.split(":")
    return parts[3] if parts[0] == "arn" and len(parts) > 5 else ""


def _code(error: Exception) -> str:
    response: object = getattr(error, "response", None)
    if not isinstance(response, Mapping):
        return type(error).__name__
    return checked_code(cast("Mapping[str, Any]", response).get("Error", {}).get("Code")) or "Unknown"


def _unreadable(source: KeySource, code: str, permission: str) -> ConfigurationError:
    if code in ("ResourceNotFoundException", "ParameterNotFound", "ParameterVersionNotFound"):
        remedy = "it does not exist in this region: create it, or name the region"
    elif "AccessDenied" in code:
        remedy = f"allow {permission} on it, and kms:Decrypt with its key if that is one of your own"
    elif "Decrypt" in code or "KMS" in code or "InvalidKeyId" in code:
        remedy = "allow kms:Decrypt with its key, and see that the key is enabled"
    elif code in ("NoCredentialsError", "ExpiredTokenException", "UnrecognizedClientException"):
        remedy = "see that there are credentials, and whose they are"
    else:
        remedy = "see that the service can be reached from here, in this region"
    return ConfigurationError(f"the key source {source} cannot be read ({code}): {remedy}")
