"""Reads a deployment out of a CloudFormation or SAM template, before anything is deployed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from attrs import frozen

from watchword.errors import ConfigurationError
from watchword_adapters.deploy import template_text
from watchword_adapters.deploy.deployment import DeployedFunction, Deployment, Facts, Table, within
from watchword_adapters.deploy.read_aws import flows_of, tables_of
from watchword_adapters.deploy.template import TRIGGERS

_FUNCTIONS = ("AWS::Lambda::Function", "AWS::Serverless::Function")
_SCHEMA_TYPES = {"AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"}


def read_template(path: Path, *, pool: str = "", client: str = "") -> Deployment:
    """Return what the template at *path* would deploy; *pool* and *client* are logical names, if there are several.

    What a reference stands for is its parameter's default, or else the logical name itself.

    Raises:
        ConfigurationError: if it is no template, or does not say which pool or client is meant.
    """
    loaded: Any = template_text.read(path)
    resources: Any = loaded.get("Resources") if isinstance(loaded, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if not isinstance(resources, dict):
        raise ConfigurationError(f"{path} has no Resources: it is no template of CloudFormation")
    stack = _Stack(str(path), cast("Facts", resources), within(cast("Facts", loaded), "Parameters"))
    return stack.deployment(pool, client)


@frozen
class _Stack:
    path: str
    resources: Mapping[str, Any]
    parameters: Mapping[str, Any]

    def deployment(self, pool_name: str, client_name: str) -> Deployment:
        pools, clients = self._of("AWS::Cognito::UserPool"), self._of("AWS::Cognito::UserPoolClient")
        pool_name = self._one("user pool", pools, pool_name, "--pool-id")
        client_name = self._one("app client", clients, client_name, "--client-id")
        pool, client = pools.get(pool_name), clients.get(client_name)
        attached = within(pool, "LambdaConfig")
        functions = {
            trigger: self._function(str(attached[named])) for trigger, named in TRIGGERS.items() if attached.get(named)
        }
        if pool is None:
            functions = self._by_handler()
        tables = {table for each in functions.values() for table in tables_of(each.settings)}
        return Deployment(
            pool=None if pool is None else {**pool, "Id": pool_name, "Arn": pool_name},
            client=client,
            others={name: flows_of(each) for name, each in clients.items() if name != client_name},
            functions=functions,
            tables=tuple(filter(None, map(self._table, sorted(tables)))),
        )

    def _of(self, *types: str) -> dict[str, Facts]:
        found: dict[str, Facts] = {}
        for name, each in self.resources.items():
            if isinstance(each, Mapping) and cast("Facts", each).get("Type") in types:
                properties = self._plain(cast("Facts", each).get("Properties"))
                found[name] = cast("Facts", properties) if isinstance(properties, dict) else {}
        return found

    def _one(self, what: str, found: Mapping[str, Facts], asked: str, option: str) -> str:
        if asked:
            if asked not in found:
                raise ConfigurationError(f"{self.path} has no {what} {asked}; there is {', '.join(found) or 'none'}")
            return asked
        if len(found) > 1:
            raise ConfigurationError(f"{self.path} has several of {what}: say which by {option} {' or '.join(found)}")
        return next(iter(found), "")

    def _function(self, name: str) -> DeployedFunction:
        functions = self._of(*_FUNCTIONS)
        if name not in functions:
            return DeployedFunction(name)
        facts = functions[name]
        sam = self.resources[name]["Type"] == "AWS::Serverless::Function"
        statements = tuple(
            _as_statement(each)
            for each in self._of("AWS::Lambda::Permission").values()
            if str(each.get("FunctionName", "")) == name
        )
        # SAM writes permissions by itself for the events that it is told.
        known = None if sam and not statements and facts.get("Events") else statements
        return DeployedFunction(name, {"Timeout": 3, "MemorySize": 128, **facts}, known, self._retention(name, facts))

    def _by_handler(self) -> dict[str, DeployedFunction]:
        """Return the functions of a template without a pool, by the names of their handlers."""
        found: dict[str, DeployedFunction] = {}
        for name, facts in self._of(*_FUNCTIONS).items():
            trigger = str(facts.get("Handler", "")).rpartition(".")[2]
            if trigger in TRIGGERS:
                found[trigger] = self._function(name)
        return found

    def _retention(self, name: str, facts: Facts) -> int:
        groups = self._of("AWS::Logs::LogGroup")
        named = str(within(facts, "LoggingConfig").get("LogGroup", ""))
        for logical, each in groups.items():
            group = str(each.get("LogGroupName", ""))
            if logical == named or (group and group == named) or group == f"/aws/lambda/{name}":
                days = each.get("RetentionInDays", 0)
                return int(days) if str(days).isdigit() else 1
        return 0

    def _table(self, name: str) -> Table | None:
        for logical, each in self._of(*_SCHEMA_TYPES).items():
            if name in {logical, each.get("TableName")}:
                key = ",".join(str(part.get("AttributeName", "")) for part in each.get("KeySchema", ()))
                ttl = within(each, "TimeToLiveSpecification")
                return Table(name, key, str(ttl.get("AttributeName", "")) if ttl.get("Enabled") is True else "")
        return None

    def _plain(self, value: Any) -> Any:
        """Return *value* with every reference as plain text: a parameter's default, or the logical name."""
        if isinstance(value, list):
            return [self._plain(each) for each in value]  # pyright: ignore[reportUnknownVariableType]
        if not isinstance(value, dict):
            return value
        fields = cast("dict[str, Any]", value)
        if len(fields) == 1:
            word, inner = next(iter(fields.items()))
            if word == "Ref":
                return self._named(str(inner))
            if word == "Fn::GetAtt":
                return str(inner[0]) if isinstance(inner, list) and inner else str(inner).partition(".")[0]  # pyright: ignore[reportUnknownArgumentType]
            if word == "Fn::Sub":
                text: Any = inner[0] if isinstance(inner, list) and inner else inner  # pyright: ignore[reportUnknownVariableType]
                return re.sub(r"\$\{([^!}][^}.]*)(?:\.[^}]*)?\}", lambda found: str(self._named(found[1])), str(text))  # pyright: ignore[reportUnknownArgumentType]
            if word == "Fn::If" and isinstance(inner, list) and len(inner) == 3:  # pyright: ignore[reportUnknownArgumentType]
                return self._plain(inner[1])
        return {name: self._plain(each) for name, each in fields.items()}

    def _named(self, name: str) -> Any:
        parameter = self.parameters.get(name)
        if isinstance(parameter, Mapping) and "Default" in parameter:
            return parameter["Default"]  # pyright: ignore[reportUnknownVariableType]
        return name


def _as_statement(permission: Facts) -> Facts:
    condition: dict[str, Any] = {}
    if permission.get("SourceArn"):
        condition["ArnLike"] = {"AWS:SourceArn": permission["SourceArn"]}
    if permission.get("SourceAccount"):
        condition["StringEquals"] = {"AWS:SourceAccount": permission["SourceAccount"]}
    principal = permission.get("Principal", "")
    return {
        "Effect": "Allow",
        "Principal": principal if principal == "*" else {"Service": principal},
        "Action": permission.get("Action", ""),
        "Condition": condition,
    }
