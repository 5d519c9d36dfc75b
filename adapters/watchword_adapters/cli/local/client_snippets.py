"""What each client library needs to be told to reach a served pool."""

from __future__ import annotations

from attrs import field, frozen


@frozen
class PoolAccess:
    """Where a served pool is, and as which app client. *certificate* is the path of what must be trusted, or empty.

    *fido2_base_url* is the API for passkeys of the passwordless client, or empty where that is not spoken to.
    """

    endpoint: str
    pool_id: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    certificate: str = ""
    fido2_base_url: str = ""

    def snippets(self) -> tuple[tuple[str, str], ...]:
        """Return a title and lines to copy for boto3, Amplify, amazon-cognito-identity-js and pycognito."""
        region = self.pool_id.partition("_")[0]
        verify = f", verify={self.certificate!r}" if self.certificate else ""
        secret = f", client_secret={self.client_secret!r}" if self.client_secret else ""
        boto3 = (
            "import boto3, botocore, botocore.config\n"
            f'cognito = boto3.client("cognito-idp", region_name="{region}", endpoint_url="{self.endpoint}"{verify},\n'
            "                       config=botocore.config.Config(signature_version=botocore.UNSIGNED))\n"
            f'cognito.initiate_auth(ClientId="{self.client_id}", AuthFlow="CUSTOM_AUTH", '
            'AuthParameters={"USERNAME": "ann"})'
        )
        amplify = (
            "import { Amplify } from 'aws-amplify'\n"
            f"Amplify.configure({{ Auth: {{ Cognito: {{ userPoolId: '{self.pool_id}',\n"
            f"  userPoolClientId: '{self.client_id}', userPoolEndpoint: '{self.endpoint}' }} }} }})"
        )
        identity = (
            "import { CognitoUserPool } from 'amazon-cognito-identity-js'\n"
            f"const pool = new CognitoUserPool({{ UserPoolId: '{self.pool_id}', ClientId: '{self.client_id}',\n"
            f"  endpoint: '{self.endpoint}' }})"
        )
        trusted = f', "verify": {self.certificate!r}' if self.certificate else ""
        pycognito = (
            "from pycognito import Cognito\n"
            f'user = Cognito("{self.pool_id}", "{self.client_id}"{secret}, username="ann",\n'
            f'               boto3_client_kwargs={{"endpoint_url": "{self.endpoint}"{trusted}}})'
        )
        passwordless = (
            "import { Passwordless } from 'amazon-cognito-passwordless-auth'\n"
            f"Passwordless.configure({{ cognitoIdpEndpoint: '{self.endpoint}', userPoolId: '{self.pool_id}',\n"
            f"  clientId: '{self.client_id}', fido2: {{ baseUrl: '{self.fido2_base_url}' }} }})"
        )
        browsers = "" if not self.client_secret else " (a browser keeps no secret: give an app client without one)"
        foreign = ((f"amazon-cognito-passwordless-auth{browsers}", passwordless),) if self.fido2_base_url else ()
        return (
            *foreign,
            ("boto3", boto3),
            (f"Amplify v6{browsers}", amplify),
            (f"amazon-cognito-identity-js{browsers}", identity),
            ("pycognito", pycognito),
        )
