"""Reads a deployment out of a template: CloudFormation, SAM, or what CDK writes, before anything is deployed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from attrs import define, evolve, field

from watchword.errors import ConfigurationError
from watchword_adapters.deploy.manifest import PRE_TOKEN
from watchword_adapters.deploy.reading import template_text
from watchword_adapters.deploy.reading.deployment import (
    DeployedFunction,
    Deployment,
    Facts,
    NotKnown,
    Table,
    api_of,
    called_by,
    of_ours,
)
from watchword_adapters.deploy.reading.read_aws import flows_of
from watchword_adapters.deploy.reading.read_zips import is_packed_otherwise, with_zip
from watchword_adapters.deploy.reading.template_resources import merged, rights_in, tables_in
from watchword_adapters.deploy.reading.template_values import TemplateValues
from watchword_adapters.deploy.reading.values import (
    Partial,
    TextValue,
    Unknown,
    behind,
    behind_colon,
    get,
    joined,
    members,
    number_value,
    text_value,
    word,
    words,
)
from watchword_adapters.deploy.stack.user_pool import CALLED

_LAMBDA, _SAM = "AWS::Lambda::Function", "AWS::Serverless::Function"
_POOL, _CLIENT = "AWS::Cognito::UserPool", "AWS::Cognito::UserPoolClient"
_TABLES = ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable")
_LOGS = ("AWS::Logs::LogGroup", "Custom::LogRetention")  # the second is CDK's
_MOST_RESOURCES = 500  # CloudFormation's quota
_MOST_ALIASES = 5  # each of the next; Lambda has no alias of an alias
_LOG_OF = "/aws/lambda/"  # and the function's name: where Lambda logs if nothing is said
_MACROS = {"AWS::Serverless-2016-10-31", "AWS::LanguageExtensions"}
_ELSEWHERE = "it is not in the template"
_NO_PACKAGE = "it is the text of a program, and no zip of watchword build's"


def read_template(path: Path, *, pool: str = "", client: str = "") -> Deployment:
    """Return what the template at *path* would deploy; *pool* and *client* are logical names, if there are several.

    A parameter stands for its default. What only the deployment gives is `Unknown`.

    Raises:
        ConfigurationError: if it is no template, or does not say which pool or client is meant.
    """
    loaded: Any = template_text.read_template_text(path)
    if not isinstance(loaded, dict) or not isinstance(cast("Facts", loaded).get("Resources"), dict):
        raise ConfigurationError(f"{path} has no Resources: it is no template of CloudFormation")
    resources = cast("Facts", loaded)["Resources"]
    if len(resources) > _MOST_RESOURCES:
        raise ConfigurationError(f"{path} has {len(resources):,} resources; a stack may have {_MOST_RESOURCES}")
    return _Stack(path, TemplateValues(cast("Facts", loaded))).deployment(pool, client)


@define(slots=False)
class _Stack:
    path: Path
    values: TemplateValues
    unknown: list[NotKnown] = field(factory=list[NotKnown])

    def deployment(self, pool_name: str, client_name: str) -> Deployment:
        pools = self._of(_POOL)
        pool_name = self._one("user pool", pools, pool_name, "--pool-id")
        clients = {name: each for name, each in self._of(_CLIENT).items() if self._may_be_of(each, pool_name)}
        client_name = self._one("app client", clients, client_name, "--client-id")
        pool, client = pools.get(pool_name), clients.get(client_name)
        for what, found in (("the user pool", pool), ("the app client", client)):
            if found is None:
                self._tell(what, _ELSEWHERE)
        for name in self._macros():
            self._tell("what the template becomes", f"the macro {name[:80]} may change it")
        if pool is None:
            functions = dict(self._by_handler())
        else:
            functions = of_ours(
                {trigger: each for trigger in CALLED if (each := self._attached(trigger, pool, pool_name))}
            )
        attached = {each.name for each in functions.values()}
        apis = {name: each for name, each in self._apis() if each.name not in attached}
        every = (*functions.values(), *apis.values())
        return Deployment(
            pool=None if pool is None else {**pool, "Id": pool_name, "Arn": pool_name},
            client=client,
            others={name: flows_of(each) for name, each in clients.items() if name != client_name},
            functions=functions,
            apis=apis,
            tables=self._tables_of(every, "WATCHWORD_LEDGER", "the ledger's table"),
            stores=self._tables_of(every, "WATCHWORD_CREDENTIALS", "the table of credentials"),
            told_by=next((each.name for trigger, each in self._by_handler() if trigger == PRE_TOKEN), ""),
            unknown=tuple(dict.fromkeys(self.unknown)),
        )

    def _tell(self, what: str, why: str) -> None:
        self.unknown.append(NotKnown(what, why))

    def _macros(self) -> Iterator[str]:
        for each in words(self.values.document.get("Transform")):
            if isinstance(each, str) and each not in _MACROS:
                yield each
        for name in self.values.resources:
            if str(name).startswith("Fn::"):
                yield str(name)

    @cached_property
    def _resources(self) -> Mapping[str, tuple[str, Facts]]:
        """The type and the properties of each resource that is not known to be left out, by logical name."""
        found: dict[str, tuple[str, Facts]] = {}
        for name, each in self.values.resources.items():
            typed, condition = get(each, "Type"), get(each, "Condition")
            if not isinstance(typed, str) or (condition is not None and self.values.holds(condition) is False):
                continue
            properties = members(self.values.value(get(each, "Properties")))
            if typed == _SAM:
                properties = merged(
                    members(self.values.value(get(self.values.document, "Globals", "Function"))), properties
                )
            found[str(name)] = (typed, properties)
        return found

    def _of(self, *types: str) -> dict[str, Facts]:
        return {name: each for name, (typed, each) in self._resources.items() if typed in types}

    @cached_property
    def _functions(self) -> Mapping[str, Facts]:
        return self._of(_LAMBDA, _SAM)

    @cached_property
    def _by_name(self) -> Mapping[TextValue, str]:
        """The functions by the names that they are given."""
        named = {text_value(facts.get("FunctionName")): logical for logical, facts in self._functions.items()}
        return {name: logical for name, logical in named.items() if name}

    def _one(self, what: str, found: Mapping[str, Facts], asked: str, option: str) -> str:
        if asked:
            if asked not in found:
                raise ConfigurationError(f"{self.path} has no {what} {asked}; there is {', '.join(found) or 'none'}")
            return asked
        if len(found) > 1:
            raise ConfigurationError(
                f"{self.path} has {len(found)} {what}s: say which by {option} {' or '.join(found)}"
            )
        return next(iter(found), "")

    def _may_be_of(self, client: Facts, pool: str) -> bool:
        named = get(client, "UserPoolId")
        of = named.resource if isinstance(named, Unknown) else ""
        return not pool or of == pool or of not in self._of(_POOL)

    # --- functions, and who may call them

    def _attached(self, trigger: str, pool: Facts, pool_name: str) -> DeployedFunction | None:
        named = called_by(pool, trigger)
        if named is None:
            triggers = [(name, each) for name, event in self._events(pool_name) for each in words(event.get("Trigger"))]
            for name, each in triggers:
                if each == CALLED[trigger]:
                    return self._function(trigger, _Target(name, self._own_alias(name)), pool_name)
            named = next((each for _, each in triggers if isinstance(each, Unknown)), None)
        if named is None:
            return None
        target = self._target(named)
        if target is None:
            self._tell(f"the function of {trigger}", _why(named))
            return DeployedFunction(named if isinstance(named, str) else _why(named))
        return self._function(trigger, target, pool_name)

    def _events(self, pool: str) -> Iterator[tuple[str, Facts]]:
        """Yield SAM's events of *pool*, with the function of each."""
        for name, facts in self._of(_SAM).items():
            for event in members(facts.get("Events")).values():
                of = get(event, "Properties", "UserPool")
                if get(event, "Type") == "Cognito" and isinstance(of, Unknown) and of.resource == pool:
                    yield name, members(get(event, "Properties"))

    def _own_alias(self, function: str) -> TextValue:
        """Return the alias that SAM makes of *function*, and by which its events call it."""
        return text_value(self._functions[function].get("AutoPublishAlias")) or ""

    def _by_handler(self) -> Iterator[tuple[str, DeployedFunction]]:
        """Yield the functions of a template without a pool, by the names of their handlers."""
        for name, facts in self._functions.items():
            handler = word(facts.get("Handler"))
            trigger = handler.rpartition(".")[2] if isinstance(handler, str) else ""
            if trigger in CALLED:
                yield trigger, self._function(trigger, _Target(name, self._own_alias(name)), "")

    def _apis(self) -> Iterator[tuple[str, DeployedFunction]]:
        """Yield the functions of APIs by which users enrol: those that are told of which user pool tokens are."""
        for name, facts in self._functions.items():
            if get(facts, "Environment", "Variables", "WATCHWORD_POOL") is not None or api_of(
                DeployedFunction(name, facts)
            ):
                function = DeployedFunction(
                    name, facts, None, self._retention(name, name, facts), rights=self._rights(facts)
                )
                yield api_of(function) or name, self._with_code(function, facts)

    def _rights(self, facts: Facts) -> tuple[Facts, ...] | Unknown | None:
        return rights_in(self._of("AWS::IAM::Role"), self._of("AWS::IAM::Policy").values(), facts)

    def _function(self, trigger: str, target: _Target, pool: str) -> DeployedFunction:
        facts = self._functions[target.function]
        function = DeployedFunction(
            target.function,
            facts,
            tuple(self._statements(trigger, target, pool)),
            self._retention(trigger, target.function, facts),
            rights=self._rights(facts),
        )
        return self._with_code(function, facts)

    def _statements(self, trigger: str, target: _Target, pool: str) -> Iterator[Facts]:
        for permission in self._of("AWS::Lambda::Permission").values():
            named = text_value(get(permission, "FunctionName"))
            allowed = self._target(named)
            if allowed == target:
                yield self._statement(permission, pool)
            elif allowed is None and isinstance(named, Unknown | Partial):
                # It may be for this one: a statement that is not known.
                yield {"Effect": "Allow", "Action": word(named), "Principal": word(named)}
            elif allowed is not None and allowed.function == target.function:
                for each in map(word, (allowed.qualifier, target.qualifier)):
                    if isinstance(each, Unknown):
                        yield {"Effect": "Allow", "Action": each, "Principal": "*"}
        for name, event in self._events(pool):
            if (
                name == target.function
                and target.qualifier == self._own_alias(name)
                and _may_be(event, CALLED[trigger])
            ):
                # SAM writes the permissions of the events that it is told.
                yield _allowing("lambda:InvokeFunction", "cognito-idp.amazonaws.com", pool)

    def _statement(self, permission: Facts, pool: str) -> Facts:
        source = self._source(text_value(get(permission, "SourceArn")), pool)
        return _allowing(get(permission, "Action"), get(permission, "Principal"), source)

    def _source(self, said: TextValue | None, pool: str) -> TextValue | None:
        """Return the ARN *said*: the pool's own as its logical name."""
        match said:
            case Unknown() if said.attribute == "Arn" and said.resource in self._of(_POOL):
                return said.resource
            case Partial((*_, str() as before, Unknown() as last)) if before.endswith(
                "userpool/"
            ) and last.resource in self._of(_POOL):
                return said if "*" in before else last.resource
            case str() if pool in self._of(_POOL) and ("userpool/" in said or {"*", "?"} & set(said)):
                return joined((said, Unknown(f"whether the pool gets the ARN {said[:80]}")))
            case _:
                return said

    def _target(self, named: TextValue | None, seen: frozenset[str] = frozenset()) -> _Target | None:
        """Return the function of the template that *named* is, by name or ARN, and the alias or version of it."""
        match named:
            case Unknown() if named.resource:
                return self._resource_target(named.resource, seen)
            case str() | Partial():
                parts = behind(named.parts if isinstance(named, Partial) else (named,), ":function:")
                first, *more = parts
                found = self._target(first, seen) if isinstance(first, Unknown) else None
                if found is None:
                    return self._named_target(parts)
                tail = joined(more)
                return _Target(found.function, behind_colon(tail)) if tail else found
            case _:
                return None

    def _resource_target(self, resource: str, seen: frozenset[str]) -> _Target | None:
        typed, facts = self._resources.get(resource, ("", {}))
        if typed in {_LAMBDA, _SAM}:
            return _Target(resource)
        if typed in {"AWS::Lambda::Alias", "AWS::Lambda::Version"} and len(seen) < _MOST_ALIASES:
            found = self._target(text_value(facts.get("FunctionName")), seen | {resource})
            qualifier = (
                text_value(facts.get("Name")) if typed == "AWS::Lambda::Alias" else Unknown(f"the version {resource}")
            )
            return found and _Target(found.function, qualifier or "")
        base, _, made = resource.partition(".")
        if made == "Alias" and base in self._of(_SAM):
            return _Target(base, self._own_alias(base))
        if made == "Version" and base in self._of(_SAM):
            return _Target(base, Unknown(f"the version {resource}"))
        for name in self._of(_SAM):
            alias = self._own_alias(name)
            if isinstance(alias, str) and alias and resource == f"{name}Alias{alias}":
                return _Target(name, alias)
        return None

    def _named_target(self, parts: tuple[str | Unknown, ...]) -> _Target | None:
        named = joined(parts)
        *before, last = parts
        name, qualifier = named, ""
        if isinstance(last, str) and ":" in last:
            head, _, qualifier = last.partition(":")
            name = joined((*before, head))
        function = self._by_name.get(name)
        return None if function is None else _Target(function, qualifier)

    def _with_code(self, function: DeployedFunction, facts: Facts) -> DeployedFunction:
        """Return *function* with what is wrong with its code, if that is here, and what its zip says of itself."""
        if facts.get("Layers"):
            return function  # Watchword may be in one of them
        if get(facts, "Code", "ZipFile") is not None or facts.get("InlineCode") is not None:
            return evolve(function, code=_NO_PACKAGE)
        for named in (facts.get("CodeUri"), facts.get("Code")):
            if isinstance(named, str) and named.endswith(".zip") and "://" not in named:
                path = self.path.parent / named
                with suppress(OSError, ValueError):  # a name that no file can have
                    if path.is_file() and not is_packed_otherwise(path):
                        return with_zip(function, path)
        return function

    # --- logs and tables

    def _retention(self, trigger: str, function: str, facts: Facts) -> int | Unknown:
        named = text_value(get(facts, "LoggingConfig", "LogGroup"))
        by_default = [joined((_LOG_OF, each)) for each in self._names(function, facts)]
        doubt: Unknown | None = None
        for logical, each in self._of(*_LOGS).items():
            group = text_value(each.get("LogGroupName"))
            if (isinstance(named, Unknown) and named.resource == logical) or (
                group and (group == named if named else group in by_default)
            ):
                days = number_value(get(each, "RetentionInDays"))
                return 0 if days is None else days
            doubt = doubt or _other_name(group)
        if named:
            return Unknown(_why(named))
        return doubt or 0

    def _names(self, function: str, facts: Facts) -> Iterator[TextValue]:
        yield function
        yield Unknown(f"the name of the resource {function}", resource=function)
        name = text_value(facts.get("FunctionName"))
        if name is not None:
            yield name

    def _tables_of(self, functions: Iterable[DeployedFunction], variable: str, what: str) -> tuple[Table, ...]:
        urls = [each.setting(variable) for each in functions]
        return tuple(tables_in(self._of(*_TABLES), urls, lambda name: self._tell(what, _why(name))))


@define(frozen=True)
class _Target:
    """A function, by its logical name, and the alias or version of it that is meant; empty for none."""

    function: str
    qualifier: TextValue = ""


def _other_name(group: TextValue | None) -> Unknown | None:
    """Return what is not known of the name of a log that may be any function's; None if it is none's."""
    parts = group.parts if isinstance(group, Partial) else (group,)
    if isinstance(parts[0], str) and not (parts[0].startswith(_LOG_OF) or _LOG_OF.startswith(parts[0])):
        return None
    return next((each for each in parts if isinstance(each, Unknown) and not each.resource), None)


def _why(named: TextValue | None) -> str:
    """Return why what *named* names cannot be read in the template."""
    said = word(named)
    return said.why if isinstance(said, Unknown) and not said.resource else _ELSEWHERE


def _may_be(event: Facts, trigger: str) -> bool:
    return trigger in words(event.get("Trigger"))


def _allowing(action: Any, principal: Any, source: Any) -> Facts:
    condition = {} if source is None else {"ArnLike": {"AWS:SourceArn": source}}
    return {"Effect": "Allow", "Principal": principal, "Action": action, "Condition": condition}
