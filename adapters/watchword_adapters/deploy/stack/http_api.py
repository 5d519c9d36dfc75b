"""The HTTP API of a template: API Gateway in front of the functions by which users enrol."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from watchword_adapters.deploy.manifest import CREDENTIALS_API, FIDO2_API
from watchword_adapters.deploy.stack.resources import caller

_Json = dict[str, Any]

HTTP_API = "HttpApi"
"""The API, by its name in the template."""
_ROUTES = {
    CREDENTIALS_API: ("ANY /credentials", "ANY /credentials/{proxy+}"),
    FIDO2_API: ("ANY /fido2/{proxy+}",),
}
_LONGEST = 5_500  # milliseconds: the function has ended by then
_OUTPUTS = {CREDENTIALS_API: ("CredentialsUrl", "credentials"), FIDO2_API: ("Fido2BaseUrl", "fido2")}

PARAMETERS: _Json = {
    "ApiRequestsPerSecond": {
        "Type": "Number",
        "Default": 50,
        "MinValue": 1,
        "Description": "Requests per second that the API takes from everybody together",
    },
}
ORIGINS: _Json = {
    "ApiOrigins": {
        "Type": "CommaDelimitedList",
        "Default": "",
        "Description": "The origins of the pages that may call the API of credentials, such as https://app.example",
    },
}
CLIENTS: _Json = {
    "ApiClients": {
        "Type": "CommaDelimitedList",
        "Description": "The ids of the app clients whose tokens count at the API: only such as sign in by this flow",
    },
}


def logical_name(function: str) -> str:
    """Return the name that *function* has in the template: ``credentials_api`` is ``CredentialsApi``."""
    return "".join(part.capitalize() for part in function.split("_"))


def http_api(functions: Collection[str]) -> Iterator[tuple[str, _Json]]:
    """Give the resources of the API in front of *functions*, by their logical names. It has no authorizer: they read tokens themselves."""
    api = {"Ref": HTTP_API}
    at_most = {"Ref": "ApiRequestsPerSecond"}
    yield (
        HTTP_API,
        {
            "Type": "AWS::ApiGatewayV2::Api",
            "Properties": {"Name": {"Fn::Sub": "${AWS::StackName}"}, "ProtocolType": "HTTP"},
        },
    )
    yield (
        f"{HTTP_API}Stage",
        {
            "Type": "AWS::ApiGatewayV2::Stage",
            "Properties": {
                "ApiId": api,
                "StageName": "$default",
                "AutoDeploy": True,
                "DefaultRouteSettings": {"ThrottlingBurstLimit": at_most, "ThrottlingRateLimit": at_most},
            },
        },
    )
    for function in functions:
        name = logical_name(function)
        yield (
            f"{name}Integration",
            {
                "Type": "AWS::ApiGatewayV2::Integration",
                "Properties": {
                    "ApiId": api,
                    "IntegrationType": "AWS_PROXY",
                    "IntegrationUri": {"Fn::GetAtt": [f"{name}Function", "Arn"]},
                    "PayloadFormatVersion": "2.0",
                    "TimeoutInMillis": _LONGEST,
                },
            },
        )
        for number, route in enumerate(_ROUTES[function]):
            target = {"Fn::Sub": f"integrations/${{{name}Integration}}"}
            properties = {"ApiId": api, "RouteKey": route, "AuthorizationType": "NONE", "Target": target}
            yield f"{name}Route{number or ''}", {"Type": "AWS::ApiGatewayV2::Route", "Properties": properties}
        source = f"arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{{HTTP_API}}}/*"
        yield f"{name}Permission", caller(f"{name}Function", "apigateway.amazonaws.com", {"Fn::Sub": source})


def addresses(functions: Collection[str]) -> _Json:
    """Return the outputs that tell where each of *functions* is called."""
    base = f"https://${{{HTTP_API}}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}"
    named = (_OUTPUTS[function] for function in functions)
    return {output: {"Value": {"Fn::Sub": f"{base}/{path}"}} for output, path in named}
