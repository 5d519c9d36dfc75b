"""A user's account: sign-up, codes, passwords, attributes, and what an administrator may do to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from watchword.contract.ports import Random
from watchword_adapters.userpool.api import errors
from watchword_adapters.userpool.api.app_client import AppClient
from watchword_adapters.userpool.api.schema import attributes_from, check_password, check_writable
from watchword_adapters.userpool.directory.records import PoolUser, attribute_list, user_description
from watchword_adapters.userpool.directory.users import TypedUser, UserDirectory, check_may_sign_in
from watchword_adapters.userpool.pool_mails import Mails
from watchword_adapters.userpool.sign_in.account_triggers import AccountTriggers, PreSigned
from watchword_adapters.userpool.sign_in.tokens import Tokens
from watchword_adapters.userpool.sign_in.triggers import ClientMetadata

_Reply = dict[str, Any]
_Given = Mapping[str, Any]


@frozen
class Accounts:
    """The operations on accounts, each named as Cognito names it."""

    client: AppClient
    users: UserDirectory
    tokens: Tokens
    triggers: AccountTriggers
    mails: Mails
    random: Random
    legacy: bool
    verify_before_update: bool

    # By anybody

    def sign_up(self, given: _Given) -> _Reply:
        """Add an unconfirmed user and send the code to the address, if there is one."""
        name: str = given["Username"]
        self.client.check_hash(given.get("SecretHash"), name)
        check_password(given["Password"])
        attributes = attributes_from(given.get("UserAttributes", ()))
        check_writable(attributes)
        self.users.check_sign_up(attributes)
        named = self.users.name_for(name)
        attributes = self.users.first_attributes(name, attributes)
        said = self._pre_signed("PreSignUp_SignUp", given, named[0], attributes)
        verified = {"email_verified": said.verify_email, "phone_number_verified": said.verify_phone}
        email = attributes.get("email")
        code = self.users.new_code("sign-up", email) if email and not said.confirm else None
        user = self.users.add(
            name,
            {**attributes, **{each: "true" for each, wanted in verified.items() if wanted}},
            status="CONFIRMED" if said.confirm else "UNCONFIRMED",
            password=given["Password"],
            named=named,
            codes={"sign-up": code} if code else {},
        )
        reply: _Reply = {"UserConfirmed": said.confirm, "UserSub": user.sub}
        if said.confirm:
            self.triggers.post_confirmation("PostConfirmation_ConfirmSignUp", user, given.get("ClientMetadata"))
        elif code:
            reply["CodeDeliveryDetails"] = self.mails.code(user, "sign-up", code)
        return reply

    def confirm_sign_up(self, given: _Given) -> _Reply:
        """Confirm a user by the code, which also verifies the address."""
        person = self._person(given)
        user = person.user
        if user is None:
            raise errors.ExpiredCodeException("Invalid code provided, please request a code again.")
        if user.status != "UNCONFIRMED":
            raise errors.NotAuthorizedException(f"User cannot be confirmed. Current status is {user.status}")
        with self.users.changing_by_code(user.username, "sign-up", given["ConfirmationCode"]) as (draft, to):
            draft.set_status("CONFIRMED")
            draft.move_aliases = bool(given.get("ForceAliasCreation"))
            if to == draft.user.attributes.get("email"):  # an administrator may have changed it since
                draft.set_attributes({"email_verified": "true"})
        self._confirmed(user.username, "PostConfirmation_ConfirmSignUp", given)
        return {}

    def resend_confirmation_code(self, given: _Given) -> _Reply:
        """Send a new sign-up code."""
        person = self._person(given)
        user = person.user
        if user is None:
            return {"CodeDeliveryDetails": self.mails.simulated(person)}
        if user.status != "UNCONFIRMED":
            raise errors.InvalidParameterException("User is already confirmed.")
        if not user.attributes.get("email"):
            raise errors.InvalidParameterException("Cannot resend codes. Auto verification not turned on.")
        return {"CodeDeliveryDetails": self.mails.new_code(user, "sign-up")}

    def forgot_password(self, given: _Given) -> _Reply:
        """Send a code that sets a new password, to a verified address only."""
        self.migrate("UserMigration_ForgotPassword", given["Username"], None, None, given.get("ClientMetadata"))
        person = self._person(given)
        user = person.user
        if user is None:
            return {"CodeDeliveryDetails": self.mails.simulated(person)}
        self._check_resettable(user)
        return {"CodeDeliveryDetails": self.mails.new_code(user, "forgot-password")}

    def confirm_forgot_password(self, given: _Given) -> _Reply:
        """Set a new password by the code."""
        person = self._person(given)
        check_password(given["Password"])
        if person.user is None:
            raise errors.CodeMismatchException("Invalid verification code provided, please try again.")
        if not person.user.enabled:
            raise errors.NotAuthorizedException(errors.DISABLED)
        username = person.username
        verifier = self.users.new_verifier(username, given["Password"])
        with self.users.changing_by_code(username, "forgot-password", given["ConfirmationCode"]) as (draft, _):
            draft.set_verifier(verifier)
            if draft.user.status == "RESET_REQUIRED":
                draft.set_status("CONFIRMED")
        self.users.lockouts.forget(person.username)
        self._confirmed(username, "PostConfirmation_ConfirmForgotPassword", given)
        return {}

    # By the user, with an access token

    def get_user(self, given: _Given) -> _Reply:
        """Return the signed-in user's name and attributes."""
        user = self._signed_in(given)
        return {"Username": user.username, "UserAttributes": attribute_list(user)}

    def update_user_attributes(self, given: _Given) -> _Reply:
        """Change attributes; a new e-mail address has to be verified anew."""
        user = self._signed_in(given)
        attributes = attributes_from(given["UserAttributes"])
        check_writable(attributes)
        sent = self._update(user.username, attributes)
        return {"CodeDeliveryDetailsList": [sent] if sent else []}

    def get_user_attribute_verification_code(self, given: _Given) -> _Reply:
        """Send another code to the address that waits for one."""
        user = self._signed_in(given)
        self._check_verifiable(given["AttributeName"])
        waiting = user.codes.get("verify-email")
        if not (user.attributes.get("email") or waiting):
            raise errors.InvalidParameterException("User does not have an email address to verify.")
        return {"CodeDeliveryDetails": self.mails.new_code(user, "verify-email", waiting.to if waiting else "")}

    def verify_user_attribute(self, given: _Given) -> _Reply:
        """Take the code: the address that it was sent to is the user's, and verified."""
        user = self._signed_in(given)
        self._check_verifiable(given["AttributeName"])
        with self.users.changing_by_code(user.username, "verify-email", given["Code"]) as (draft, to):
            draft.set_attributes({"email": to, "email_verified": "true"})
        return {}

    def change_password(self, given: _Given) -> _Reply:
        """Change the password of somebody who knows the old one."""
        user = self._signed_in(given)
        person = self.users.find(user.username)
        check_password(given["ProposedPassword"])
        if self.users.lockouts.is_locked(person.username):
            raise errors.NotAuthorizedException("Password attempts exceeded")
        if not self.users.has_password(person, given["PreviousPassword"]):
            self.users.lockouts.count_failure(person.username)
            raise errors.NotAuthorizedException(errors.INCORRECT)
        self._set_password(user.username, given["ProposedPassword"])
        return {}

    def global_sign_out(self, given: _Given) -> _Reply:
        """Revoke every token of the signed-in user."""
        self.tokens.revoke_all(self._signed_in(given).sub)
        return {}

    def revoke_token(self, given: _Given) -> _Reply:
        """Revoke a refresh token and the tokens that came from it."""
        self.client.check_secret(given.get("ClientSecret"))
        self.tokens.revoke(given["Token"])
        return {}

    # By an administrator

    def admin_create_user(self, given: _Given) -> _Reply:
        """Add a user with a temporary password, and invite her by mail unless told to SUPPRESS; or invite her again."""
        password: str = given.get("TemporaryPassword") or self._temporary_password()
        check_password(password)
        attributes = attributes_from(given.get("UserAttributes", ()))
        if given.get("MessageAction") == "RESEND":
            user = self._invited_again(given, password)
        else:
            named = self.users.name_for(given["Username"])
            attributes = self.users.first_attributes(given["Username"], attributes)
            # The service does not say that this one may confirm or verify anybody: an administrator can do so himself.
            self._pre_signed("PreSignUp_AdminCreateUser", given, named[0], attributes)
            user = self.users.add(
                given["Username"],
                attributes,
                named=named,
                status="FORCE_CHANGE_PASSWORD",
                password=password,
                move_aliases=bool(given.get("ForceAliasCreation")),
            )
        address = user.attributes.get("email")
        if address and given.get("MessageAction") != "SUPPRESS":
            text = f"Your username is {given['Username']} and temporary password is {password}."
            self.mails.send(user, address, "Your temporary password", text)
        return {"User": user_description(user, attributes="Attributes")}

    def _invited_again(self, given: _Given, password: str) -> PoolUser:
        """Return somebody who has not answered the invitation, with a new temporary password. Nobody is created."""
        user = self._existing(given)
        if user.status != "FORCE_CHANGE_PASSWORD":
            raise errors.UnsupportedUserStateException(
                f"Resend not possible. {user.username} status is not FORCE_CHANGE_PASSWORD"
            )
        self._set_password(user.username, password)
        return self._existing(given)

    def admin_update_user_attributes(self, given: _Given) -> _Reply:
        """Change attributes, also those that say whether an address is verified."""
        self._update(self._existing(given).username, attributes_from(given["UserAttributes"]))
        return {}

    def admin_disable_user(self, given: _Given) -> _Reply:
        """Refuse a user from now on, and revoke all tokens."""
        return self._switch(given, enabled=False)

    def admin_enable_user(self, given: _Given) -> _Reply:
        """Let a user sign in again."""
        return self._switch(given, enabled=True)

    def admin_reset_user_password(self, given: _Given) -> _Reply:
        """Make the password useless until a new one is set by the code that is sent."""
        user = self._existing(given)
        self._check_resettable(user)
        code = self.users.new_code("forgot-password", user.attributes["email"])
        with self.users.changing(user.username) as draft:
            draft.set_status("RESET_REQUIRED")
            draft.set_code("forgot-password", code)
        self.mails.code(user, "forgot-password", code)
        return {}

    def admin_get_user(self, given: _Given) -> _Reply:
        """Return everything about a user but the password."""
        return user_description(self._existing(given))

    def admin_delete_user(self, given: _Given) -> _Reply:
        """Remove a user, tokens included."""
        user = self._existing(given)
        self.users.remove(user.username)
        self.tokens.revoke_all(user.sub)
        return {}

    def admin_set_user_password(self, given: _Given) -> _Reply:
        """Set a password, for good if *Permanent*, else to be changed at the next sign-in."""
        user = self._existing(given)
        check_password(given["Password"])
        verifier = self.users.new_verifier(user.username, given["Password"])
        with self.users.changing(user.username) as draft:
            draft.set_verifier(verifier)
            draft.set_status("CONFIRMED" if given.get("Permanent") else "FORCE_CHANGE_PASSWORD")
        return {}

    def admin_confirm_sign_up(self, given: _Given) -> _Reply:
        """Confirm a user without a code."""
        user = self._existing(given)
        if user.status != "UNCONFIRMED":
            raise errors.NotAuthorizedException(f"User cannot be confirmed. Current status is {user.status}")
        with self.users.changing(user.username) as draft:
            draft.set_status("CONFIRMED")
        self._confirmed(user.username, "PostConfirmation_ConfirmSignUp", given)
        return {}

    def answer_invitation(self, username: str, password: str, attributes: Mapping[str, str]) -> None:
        """Set the password of somebody invited, and change *attributes* as `update_user_attributes` does.

        Raises:
            NotAuthorizedException: if one that every user has is among them: it has a value already.
        """
        for name in attributes:
            if self.users.must_have(name):
                raise errors.NotAuthorizedException(f"Cannot modify an already provided {name}")
        self._update(username, attributes, password)

    def migrate(
        self, source: str, name: str, password: str | None, validation: ClientMetadata, metadata: ClientMetadata
    ) -> None:
        """Add somebody whom the pool does not have and the user migration trigger knows.

        Raises:
            UserNotFoundException: if the trigger refuses, and the pool is told to say who exists.
        """
        if not self.triggers.migrates or self.users.find(name).user is not None:
            return
        found = self.triggers.migrate(source, name, password, validation, metadata)
        if found is None:
            if self.legacy:
                raise errors.UserNotFoundException(f"Exception migrating user in app client {self.client.id}")
            return
        user = self.users.add(
            found.name, found.attributes, status=found.status, password=password, move_aliases=found.move_aliases
        )
        if found.welcome and user.attributes.get("email"):
            self.mails.send(user, user.attributes["email"], "Welcome", f"Your username is {found.name}.")

    def _pre_signed(self, source: str, given: _Given, username: str, attributes: Mapping[str, str]) -> PreSigned:
        pairs = given.get("ValidationData")
        validation = None if pairs is None else {pair["Name"]: pair.get("Value") or "" for pair in pairs}
        return self.triggers.pre_sign_up(source, username, attributes, validation, given.get("ClientMetadata"))

    def _confirmed(self, username: str, source: str, given: _Given) -> None:
        user = self.users.get(username)
        if user is not None:
            self.triggers.post_confirmation(source, user, given.get("ClientMetadata"))

    def _person(self, given: _Given) -> TypedUser:
        name: str = given["Username"]
        self.client.check_hash(given.get("SecretHash"), name)
        person = self.users.find(name)
        if person.user is None and self.legacy:
            raise errors.UserNotFoundException("Username/client id combination not found.")
        return person

    def _existing(self, given: _Given) -> PoolUser:
        user = self.users.find(given["Username"]).user
        if user is None:
            raise errors.UserNotFoundException("User does not exist.")
        return user

    def _signed_in(self, given: _Given) -> PoolUser:
        user = self.users.get(self.tokens.username_of_access(given["AccessToken"]))
        if user is None:
            raise errors.UserNotFoundException("User does not exist.")
        check_may_sign_in(user)
        return user

    def _switch(self, given: _Given, *, enabled: bool) -> _Reply:
        user = self._existing(given)
        with self.users.changing(user.username) as draft:
            draft.set_enabled(enabled)
        if not enabled:
            self.tokens.revoke_all(user.sub)
        return {}

    def _update(self, username: str, changes: Mapping[str, str], password: str | None = None) -> _Reply | None:
        """Change attributes, and send a code to an address that is new and not said to be verified; return where to.

        With a *password*, that is set too, and the invitation is answered.
        """
        verifier = None if password is None else self.users.new_verifier(username, password)
        email = changes.get("email", "")
        code = None
        with self.users.changing(username) as draft:
            asked = email not in {"", draft.user.attributes.get("email")} and "email_verified" not in changes
            waits = asked and self.verify_before_update  # the old one stays until the code comes back
            draft.set_attributes({name: value for name, value in changes.items() if not (waits and name == "email")})
            if verifier is not None:
                draft.set_verifier(verifier)
                draft.set_status("CONFIRMED")
            if asked:
                code = self.users.new_code("verify-email", email)
                draft.set_code("verify-email", code)
        return None if code is None else self.mails.code(draft.user, "verify-email", code)

    def _check_resettable(self, user: PoolUser) -> None:
        if not user.enabled:
            raise errors.NotAuthorizedException(errors.DISABLED)
        if user.status == "FORCE_CHANGE_PASSWORD":
            raise errors.NotAuthorizedException("User password cannot be reset in the current state.")
        if not user.verified_email:
            raise errors.InvalidParameterException(
                "Cannot reset password for the user as there is no registered/verified email or phone_number"
            )

    def _check_verifiable(self, name: str) -> None:
        if name != "email":  # as a pool whose AutoVerifiedAttributes are [email]
            raise errors.InvalidParameterException(f"{ascii(name)[1:-1]} cannot be verified by a code in this pool.")

    def _set_password(self, username: str, password: str) -> None:
        verifier = self.users.new_verifier(username, password)
        with self.users.changing(username) as draft:
            draft.set_verifier(verifier)

    def _temporary_password(self) -> str:
        return f"Tmp-{self.random.bytes(9).hex()}1a"
