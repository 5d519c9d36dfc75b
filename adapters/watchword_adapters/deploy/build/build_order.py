"""What is to be built, for what, and which functions."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from watchword.algebra.flow import Flow
from watchword_adapters.deploy.manifest import CREDENTIALS_API, FIDO2_API, PRE_TOKEN
from watchword_adapters.deploy.target import Target
from watchword_adapters.dialects.dialect import has_api


@frozen
class BuildOrder:
    """What is to be built.

    Attributes:
        flow: a TOML file or ``module:attribute``, as commands take it.
        previous: flows that were deployed before.
        target: what the functions run on.
        ledger: the scheme of the ledger's URL, such as ``dynamodb``.
        credentials: the scheme of the URL of the store of credentials; not looked at if the flow needs none.
        couriers: the schemes of the couriers', one for each channel; not looked at by a function that sends nothing.
        include: files and folders to ship beside, below the current folder.
        wheels: a folder to take wheels from, and from nowhere else.
        with_boto3: whether to ship boto3 in place of the runtime's.
        dialect: the name of the client that is spoken to, whose API is built too if the flow has passkeys; empty for the engine's own language.
        credentials_api: whether to build the API by which users enrol.
        pre_token: whether to build the function that tells in tokens what was passed.
    """

    flow: str
    target: Target
    previous: tuple[str, ...] = ()
    ledger: str = "dynamodb"
    credentials: str = "dynamodb"
    couriers: tuple[str, ...] = ("ses",)
    include: tuple[Path, ...] = ()
    wheels: Path | None = None
    with_boto3: bool = False
    dialect: str = ""
    credentials_api: bool = False
    pre_token: bool = False

    def functions(self, flow: Flow) -> tuple[str, ...]:
        """Return the functions to build beside Define, for *flow*, which was read."""
        others = (
            *((PRE_TOKEN,) if self.pre_token else ()),
            *((CREDENTIALS_API,) if self.credentials_api else ()),
            *((FIDO2_API,) if has_api(self.dialect, flow) else ()),
        )
        return ("create", "verify", *others)
