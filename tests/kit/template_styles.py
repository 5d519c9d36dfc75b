"""Sound templates as people write them: plain CloudFormation, SAM, and what CDK writes; and where each has what."""

import copy
import functools
import json

from attrs import frozen

from watchword import load_flow
from watchword_adapters.deploy.diagnosis.doctor import diagnose
from watchword_adapters.deploy.reading import template_text
from watchword_adapters.deploy.reading.read_template import read_template

TRIGGERS = {
    "define": "DefineAuthChallenge",
    "create": "CreateAuthChallenge",
    "verify": "VerifyAuthChallengeResponse",
}
FLOW = """
name = "acme"
[[steps]]
kind = "srp"
[[steps]]
when = {attribute = "custom:tier", equals = "gold"}
then = {kind = "email_otp", lifetime = 300}
"""
_RECOVERY = {"RecoveryMechanisms": [{"Name": "admin_only", "Priority": 1}]}
_FLOWS = ["ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]


@frozen
class Style:
    """A template in one style, and the logical names in it, by what they are; functions and permissions by trigger."""

    text: str
    names: dict

    def document(self):
        """Return the template, to be changed, with nothing in it shared by an alias of YAML."""
        return json.loads(_as_json(self.text))

    def properties(self, document, what):
        """Return the properties of what is called so: ``pool``, ``client``, ``table``, ``create``, …"""
        return document["Resources"][self.names[what]].setdefault("Properties", {})

    def detach(self, document, trigger):
        """Take the function of *trigger* off the pool."""
        self.properties(document, "pool")["LambdaConfig"].pop(TRIGGERS[trigger], None)
        self.properties(document, trigger).pop("Events", None)

    def unpermit(self, document, trigger):
        """Take away that the pool may call the function of *trigger*."""
        name = self.names.get(f"{trigger} permission")
        if name:
            del document["Resources"][name]
        else:
            del self.properties(document, trigger)["Events"]
            attached = self.properties(document, "pool").setdefault("LambdaConfig", {})
            attached[TRIGGERS[trigger]] = {"Fn::GetAtt": [self.names[trigger], "Arn"]}

    def permit(self, document, trigger, **said):
        """Add a permission to call what the pool names for *trigger*."""
        named = {"Fn::GetAtt": [self.names[trigger], "Arn"]}
        named = self.properties(document, "pool").get("LambdaConfig", {}).get(TRIGGERS[trigger], named)
        lets = {"Action": "lambda:InvokeFunction", "Principal": "cognito-idp.amazonaws.com", "FunctionName": named}
        document["Resources"]["Another"] = {"Type": "AWS::Lambda::Permission", "Properties": {**lets, **said}}


@functools.cache
def _as_json(text):
    return json.dumps(template_text.parse_template_text(text, "it"))


def _names(**more):
    return (
        {"pool": "Pool", "client": "Client", "table": "Ledger"}
        | {key: value for trigger in TRIGGERS for key, value in ((trigger, trigger.capitalize()),)}
        | more
    )


def _permission_names(pattern):
    return {f"{trigger} permission": pattern.format(trigger.capitalize()) for trigger in TRIGGERS}


YAML = """
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  Seconds: {Type: Number, Default: 5}
  Stage: {Type: String, Default: prod, AllowedValues: [dev, prod]}
  Sender: {Type: String}
  Flows: {Type: CommaDelimitedList, Default: "ALLOW_CUSTOM_AUTH, ALLOW_REFRESH_TOKEN_AUTH"}
Conditions:
  Production: !Equals [!Ref Stage, prod]
Mappings:
  Memory: {prod: {Megabytes: 512}, dev: {Megabytes: 256}}
Resources:
  Pool:
    Type: AWS::Cognito::UserPool
    Properties:
      UsernameConfiguration: {CaseSensitive: 'false'}
      AdminCreateUserConfig: {AllowAdminCreateUserOnly: false}
      AccountRecoverySetting: {RecoveryMechanisms: [{Name: admin_only, Priority: 1}]}
      Schema: [{Name: tier, AttributeDataType: String}]
      LambdaConfig:
        DefineAuthChallenge: !GetAtt Define.Arn
        CreateAuthChallenge: !Sub ${Create.Arn}
        VerifyAuthChallengeResponse: !Sub arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:${Verify}
  Client:
    Type: AWS::Cognito::UserPoolClient
    Properties:
      UserPoolId: !Ref Pool
      ExplicitAuthFlows: !Ref Flows
      PreventUserExistenceErrors: !If [Production, ENABLED, LEGACY]
      AuthSessionValidity: !Ref Seconds
      WriteAttributes: [email]
  Define: &function
    Type: AWS::Lambda::Function
    Properties: &properties
      Code: {S3Bucket: code, S3Key: define.zip}
      Handler: define.define
      Runtime: python3.12
      Timeout: !Ref Seconds
      MemorySize: !FindInMap [Memory, !Ref Stage, Megabytes]
      LoggingConfig: {LogGroup: !Ref Logs}
  Create:
    <<: *function
    Properties:
      <<: *properties
      Handler: create.create
      FunctionName: !Sub ${AWS::StackName}-create
      Environment: &environment
        Variables:
          WATCHWORD_ROOT_KEY: secretsmanager://acme/root
          WATCHWORD_KEY: !Sub secretsmanager://${Key}
          WATCHWORD_LEDGER: !Join ['', ['dynamodb://', !Ref Ledger, '?region=', !Ref AWS::Region]]
          WATCHWORD_COURIER: !Sub ses://?from=${Sender}
  Verify:
    <<: *function
    Properties: {<<: *properties, Handler: verify.verify, Environment: *environment}
  DefineLets: {Type: AWS::Lambda::Permission, Properties: {Action: lambda:InvokeFunction, FunctionName: !Ref Define, Principal: cognito-idp.amazonaws.com, SourceArn: !GetAtt Pool.Arn}}
  CreateLets: {Type: AWS::Lambda::Permission, Properties: {Action: lambda:InvokeFunction, FunctionName: !Sub "${AWS::StackName}-create", Principal: cognito-idp.amazonaws.com, SourceArn: !Sub "arn:${AWS::Partition}:cognito-idp:${AWS::Region}:${AWS::AccountId}:userpool/${Pool}"}}
  VerifyLets: {Type: AWS::Lambda::Permission, Properties: {Action: lambda:*, FunctionName: !GetAtt Verify.Arn, Principal: cognito-idp.amazonaws.com, SourceArn: !GetAtt [Pool, Arn]}}
  Ledger:
    Type: AWS::DynamoDB::Table
    Properties:
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      TimeToLiveSpecification: {AttributeName: ttl, Enabled: true}
  Key: {Type: AWS::SecretsManager::Secret, Properties: {GenerateSecretString: {PasswordLength: 64}}}
  Logs: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: 30}}
"""


def _plain():
    """Plain CloudFormation in JSON: literals, a log group by its default name, a table by its own name."""
    resources = {
        "Pool": {
            "Type": "AWS::Cognito::UserPool",
            "Properties": {
                "UsernameConfiguration": {"CaseSensitive": False},
                "AccountRecoverySetting": _RECOVERY,
                "Schema": [{"Name": "tier", "AttributeDataType": "String"}],
                "LambdaConfig": {
                    named: {"Fn::GetAtt": f"{trigger.capitalize()}.Arn"} for trigger, named in TRIGGERS.items()
                },
            },
        },
        "Client": {
            "Type": "AWS::Cognito::UserPoolClient",
            "Properties": {
                "UserPoolId": {"Ref": "Pool"},
                "ExplicitAuthFlows": _FLOWS,
                "PreventUserExistenceErrors": "ENABLED",
                "AuthSessionValidity": "5",
                "WriteAttributes": ["email"],
            },
        },
        "Ledger": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "TableName": "acme-ledger",
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "TimeToLiveSpecification": {"AttributeName": "ttl", "Enabled": "true"},
            },
        },
    }
    for trigger in TRIGGERS:
        name = trigger.capitalize()
        resources[name] = {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": f"acme-{trigger}",
                "Code": {"S3Bucket": "code", "S3Key": f"{trigger}.zip"},
                "Handler": f"{trigger}.{trigger}",
                "Runtime": "python3.12",
                "Timeout": "5",
                "MemorySize": "512",
                "Environment": {
                    "Variables": {
                        "WATCHWORD_ROOT_KEY": "secretsmanager://acme/root",
                        "WATCHWORD_KEY": "secretsmanager://acme",
                        "WATCHWORD_LEDGER": "dynamodb://acme-ledger",
                        "WATCHWORD_COURIER": "ses://?from=login@example.com",
                    }
                },
            },
        }
        resources[f"{name}Logs"] = {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {
                "LogGroupName": {"Fn::Join": ["/", ["", "aws", "lambda", {"Ref": name}]]}
                if trigger == "define"
                else f"/aws/lambda/acme-{trigger}",
                "RetentionInDays": 30,
            },
        }
        resources[f"{name}Lets"] = {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": f"arn:aws:lambda:eu-west-1:123456789012:function:acme-{trigger}",
                "Principal": "cognito-idp.amazonaws.com",
                "SourceAccount": {"Ref": "AWS::AccountId"},
                "SourceArn": {"Fn::GetAtt": ["Pool", "Arn"]},
            },
        }
    return json.dumps({"Resources": resources})


SAM = """
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Parameters:
  Sender: {Type: String}
Globals:
  Function:
    Runtime: python3.12
    Timeout: 5
    MemorySize: 512
    LoggingConfig: {LogGroup: !Ref Logs}
    Environment:
      Variables:
        WATCHWORD_ROOT_KEY: secretsmanager://acme/root
        WATCHWORD_KEY: !Sub secretsmanager://${Key}
        WATCHWORD_LEDGER: !Sub dynamodb://${Ledger}
Resources:
  Pool:
    Type: AWS::Cognito::UserPool
    Properties:
      UsernameConfiguration: {CaseSensitive: false}
      AccountRecoverySetting: {RecoveryMechanisms: [{Name: admin_only, Priority: 1}]}
      Schema: [{Name: tier, AttributeDataType: String}]
      LambdaConfig: {}
  Client:
    Type: AWS::Cognito::UserPoolClient
    Properties: {UserPoolId: !Ref Pool, ExplicitAuthFlows: [ALLOW_CUSTOM_AUTH, ALLOW_REFRESH_TOKEN_AUTH], PreventUserExistenceErrors: ENABLED, AuthSessionValidity: 5, WriteAttributes: [email]}
  Define:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: s3://code/define.zip
      Handler: define.define
      Events: {Login: {Type: Cognito, Properties: {UserPool: !Ref Pool, Trigger: DefineAuthChallenge}}}
  Create:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: s3://code/create.zip
      Handler: create.create
      AutoPublishAlias: live
      Environment: {Variables: {WATCHWORD_COURIER: !Sub "ses://?from=${Sender}"}}
      Events: {Login: {Type: Cognito, Properties: {UserPool: !Ref Pool, Trigger: [CreateAuthChallenge]}}}
  Verify:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: {Bucket: code, Key: verify.zip}
      Handler: verify.verify
      Events: {Login: {Type: Cognito, Properties: {UserPool: !Ref Pool, Trigger: VerifyAuthChallengeResponse}}}
  Ledger: {Type: AWS::DynamoDB::GlobalTable, Properties: {KeySchema: [{AttributeName: pk, KeyType: HASH}], TimeToLiveSpecification: {AttributeName: ttl, Enabled: true}}}
  Key: {Type: AWS::SecretsManager::Secret, Properties: {GenerateSecretString: {PasswordLength: 64}}}
  Logs: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: 14}}
"""


def _aliases():
    """SAM's AutoPublishAlias: pool and permissions name the alias, in each of SAM's forms."""
    document = copy.deepcopy(template_text.parse_template_text(SAM, "it"))
    forms = {
        "Define": {"Ref": "Define.Alias"},
        "Create": {"Fn::Sub": "${CreateAliaslive}"},
        "Verify": {"Fn::Sub": "${Verify.Arn}:live"},
    }
    attached = document["Resources"]["Pool"]["Properties"]["LambdaConfig"]
    for trigger, named in TRIGGERS.items():
        name = trigger.capitalize()
        properties = document["Resources"][name]["Properties"]
        del properties["Events"]
        properties["AutoPublishAlias"] = "live"
        attached[named] = forms[name]
        document["Resources"][f"{name}Lets"] = {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": {"Ref": f"{name}.Alias"},
                "Principal": "cognito-idp.amazonaws.com",
                "SourceArn": {"Fn::GetAtt": ["Pool", "Arn"]},
            },
        }
    return json.dumps(document)


def _cdk():
    """CDK's: names with a hash, assets, metadata with a condition, joined texts, an alias, a custom resource for a log."""
    pool, ledger, key = "LoginPool3F5C1A2B", "LedgerTable8E1F", "LoginKey77AA00CC"
    functions = {"define": "DefineFn0A1B2C3D", "create": "CreateFn4E5F6A7B", "verify": "VerifyFn8C9D0E1F"}
    alias, version = "VerifyLive11223344", "VerifyFnCurrentVersion55667788"
    variables = {
        "WATCHWORD_ROOT_KEY": "secretsmanager://acme/root",
        "WATCHWORD_KEY": {"Fn::Join": ["", ["secretsmanager://", {"Ref": key}]]},
        "WATCHWORD_LEDGER": {"Fn::Join": ["", ["dynamodb://", {"Ref": ledger}]]},
        "WATCHWORD_COURIER": {"Fn::Join": ["", ["ses://?from=login@", {"Fn::ImportValue": "mail:Domain"}]]},
    }
    called = {
        "define": {"Fn::GetAtt": [functions["define"], "Arn"]},
        "create": {"Fn::GetAtt": [functions["create"], "Arn"]},
        "verify": {"Ref": alias},
    }
    arn = ["arn:", {"Ref": "AWS::Partition"}, ":cognito-idp:", {"Ref": "AWS::Region"}, ":", {"Ref": "AWS::AccountId"}]
    resources = {
        pool: {
            "Type": "AWS::Cognito::UserPool",
            "Properties": {
                "AccountRecoverySetting": _RECOVERY,
                "Schema": [{"Name": "tier", "AttributeDataType": "String"}],
                "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": False},
                "LambdaConfig": {TRIGGERS[trigger]: each for trigger, each in called.items()},
                "UsernameConfiguration": {"CaseSensitive": False},
                "VerificationMessageTemplate": {"DefaultEmailOption": "CONFIRM_WITH_CODE"},
            },
            "UpdateReplacePolicy": "Retain",
            "DeletionPolicy": "Retain",
            "Metadata": {"aws:cdk:path": "Login/Pool/Resource"},
        },
        f"{pool}Web9900": {
            "Type": "AWS::Cognito::UserPoolClient",
            "Properties": {
                "AllowedOAuthFlowsUserPoolClient": False,
                "AuthSessionValidity": 5,
                "ExplicitAuthFlows": _FLOWS,
                "PreventUserExistenceErrors": "ENABLED",
                "SupportedIdentityProviders": ["COGNITO"],
                "UserPoolId": {"Ref": pool},
                "WriteAttributes": ["email"],
            },
        },
        ledger: {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "TimeToLiveSpecification": {"AttributeName": "ttl", "Enabled": True},
            },
        },
        key: {"Type": "AWS::SecretsManager::Secret", "Properties": {"GenerateSecretString": {}}},
        "Logs0011": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 30}},
        "VerifyFnLogRetention2233": {
            "Type": "Custom::LogRetention",
            "Properties": {
                "ServiceToken": {"Fn::GetAtt": ["LogRetentionaae0", "Arn"]},
                "LogGroupName": {"Fn::Join": ["", ["/aws/lambda/", {"Ref": functions["verify"]}]]},
                "RetentionInDays": 30,
            },
        },
        version: {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": functions["verify"]}}},
        alias: {
            "Type": "AWS::Lambda::Alias",
            "Properties": {
                "FunctionName": {"Ref": functions["verify"]},
                "FunctionVersion": {"Fn::GetAtt": [version, "Version"]},
                "Name": "live",
            },
        },
        "CDKMetadata": {
            "Type": "AWS::CDK::Metadata",
            "Properties": {"Analytics": "v2:deflate64:H4sIAAAA"},
            "Condition": "CDKMetadataAvailable",
        },
    }
    for trigger, name in functions.items():
        resources[name] = {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Code": {
                    "S3Bucket": {"Fn::Sub": "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"},
                    "S3Key": f"{'9d0a' * 16}.zip",
                },
                "Environment": {"Variables": variables},
                "Handler": f"{trigger}.{trigger}",
                "MemorySize": 512,
                "Role": {"Fn::GetAtt": [f"{name}ServiceRole", "Arn"]},
                "Runtime": "python3.12",
                "Timeout": 5,
                **({} if trigger == "verify" else {"LoggingConfig": {"LogGroup": {"Ref": "Logs0011"}}}),
            },
            "DependsOn": [f"{name}ServiceRole"],
            "Metadata": {
                "aws:cdk:path": f"Login/{trigger}/Resource",
                "aws:asset:path": "asset.9d0a",
                "aws:asset:property": "Code",
            },
        }
        logging = ["arn:", {"Ref": "AWS::Partition"}, ":iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]
        role = {"ManagedPolicyArns": [{"Fn::Join": ["", logging]}]}
        resources[f"{name}ServiceRole"] = {"Type": "AWS::IAM::Role", "Properties": role}
        actions = [f"dynamodb:{each}" for each in ("BatchGetItem", "GetItem", "PutItem", "UpdateItem")]
        table = {"Fn::GetAtt": ["LedgerTable8E1F", "Arn"]}
        reading = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret", "ssm:GetParameter"]
        resources[f"{name}ServiceRoleDefaultPolicy"] = {
            "Type": "AWS::IAM::Policy",
            "Properties": {
                "PolicyName": name,
                "Roles": [{"Ref": f"{name}ServiceRole"}],
                "PolicyDocument": {
                    "Statement": [
                        {"Effect": "Allow", "Action": actions, "Resource": [table]},
                        {"Effect": "Allow", "Action": reading, "Resource": {"Ref": key}},
                    ]
                },
            },
        }
        resources[f"{name}Cognito"] = {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": called[trigger],
                "Principal": "cognito-idp.amazonaws.com",
                "SourceArn": {"Fn::GetAtt": [pool, "Arn"]}
                if trigger != "create"
                else {"Fn::Join": ["", [*arn, ":userpool/", {"Ref": pool}]]},
            },
        }
    resources["LogRetentionaae0"] = {"Type": "AWS::Lambda::Function", "Properties": {"Handler": "index.handler"}}
    regions = [{"Fn::Equals": [{"Ref": "AWS::Region"}, each]} for each in ("eu-west-1", "us-east-1")]
    names = {
        "pool": pool,
        "client": f"{pool}Web9900",
        "table": ledger,
        **functions,
        **{f"{trigger} permission": f"{name}Cognito" for trigger, name in functions.items()},
        "log": "Logs0011",
    }
    document = {
        "Resources": resources,
        "Conditions": {"CDKMetadataAvailable": {"Fn::Or": [{"Fn::Or": regions}, {"Fn::Or": regions}]}},
        "Parameters": {
            "BootstrapVersion": {
                "Type": "AWS::SSM::Parameter::Value<String>",
                "Default": "/cdk-bootstrap/hnb659fds/version",
            }
        },
        "Rules": {
            "CheckBootstrapVersion": {
                "Assertions": [{"Assert": {"Fn::Not": [{"Fn::Contains": [["1"], {"Ref": "BootstrapVersion"}]}]}}]
            }
        },
    }
    return json.dumps(document), names


_CDK, _CDK_NAMES = _cdk()
STYLES = {
    "CloudFormation in YAML": Style(YAML, _names(log="Logs", **_permission_names("{}Lets"))),
    "CloudFormation in JSON": Style(_plain(), _names(log="DefineLogs", **_permission_names("{}Lets"))),
    "SAM with events": Style(SAM, _names(log="Logs")),
    "SAM with aliases": Style(_aliases(), _names(log="Logs", **_permission_names("{}Lets"))),
    "CDK": Style(_CDK, _CDK_NAMES),
}


def said(what, *path):
    """Return a plant that sets the member to which the path leads, but for its last, to the last."""
    *way, name, value = path

    def plant(style, document):
        fields = style.properties(document, what)
        for each in way:
            fields = fields.setdefault(each, {})
        fields[name] = value

    return plant


def variable(name, value, *triggers):
    """Return a plant that sets a variable of the functions of *triggers*."""

    def plant(style, document):
        for trigger in triggers:
            said(trigger, "Environment", "Variables", name, value)(style, document)

    return plant


def another_client(style, document):
    """Plant a second client of the pool."""
    document["Resources"]["Other"] = {
        "Type": "AWS::Cognito::UserPoolClient",
        "Properties": {"UserPoolId": {"Ref": style.names["pool"]}, "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"]},
    }


BOTH = ("create", "verify")


def judge(folder):
    """Return a function that returns the findings on a document, without the command around."""
    (folder / "flow.toml").write_text(FLOW)
    flow, path = load_flow(folder / "flow.toml"), folder / "stack.json"

    def judged(document, *, before="", **named):
        path.write_text(before + json.dumps(document))
        return [{"code": each.code, "message": each.message} for each in diagnose(read_template(path, **named), flow)]

    return judged


def codes(findings):
    """Return the codes of *findings*, each once."""
    return {each["code"] for each in findings}
