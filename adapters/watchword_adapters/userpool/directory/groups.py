"""The groups of a pool, who is in them, and what tokens say of that."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from attrs import evolve, field, frozen

from watchword.contract.ports import Clock
from watchword_adapters.userpool.api import errors
from watchword_adapters.userpool.directory.records import Group, PoolUser, user_description
from watchword_adapters.userpool.directory.user_store import Keeper, NothingKept
from watchword_adapters.userpool.directory.users import UserDirectory

_Reply = dict[str, Any]
_Given = Mapping[str, Any]
T = TypeVar("T")

_PAGE = 60


@frozen
class GroupClaims:
    """What tokens say of a user's groups."""

    names: tuple[str, ...] = field(default=(), converter=tuple[str, ...])
    roles: tuple[str, ...] = field(default=(), converter=tuple[str, ...])
    preferred_role: str | None = None


class Groups:
    """The operations on groups, each named as Cognito names it."""

    def __init__(self, pool_id: str, users: UserDirectory, clock: Clock, keeper: Keeper | None = None) -> None:
        self._pool_id = pool_id
        self._users = users
        self._clock = clock
        self._keeper = keeper or NothingKept()
        self._lock = threading.RLock()
        self._groups = {group.name: group for group in self._keeper.groups()}

    def create_group(self, given: _Given) -> _Reply:
        """Make a group."""
        now = self._clock.now()
        name: str = given["GroupName"]
        group = Group(name, given.get("Description"), given.get("RoleArn"), given.get("Precedence"), now, now)
        with self._lock:
            if name in self._groups:
                raise errors.GroupExistsException("A group with the name already exists.")
            self._keep(group)
        return {"Group": self._described(group)}

    def get_group(self, given: _Given) -> _Reply:
        """Return a group."""
        return {"Group": self._described(self._group(given))}

    def update_group(self, given: _Given) -> _Reply:
        """Change what is given, and nothing else, about a group."""
        fields = {"Description": "description", "RoleArn": "role", "Precedence": "precedence"}
        changes = {ours: given[theirs] for theirs, ours in fields.items() if theirs in given}
        with self._lock:
            group = evolve(self._group(given), **changes, modified=self._clock.now())
            self._keep(group)
        return {"Group": self._described(group)}

    def delete_group(self, given: _Given) -> _Reply:
        """Remove a group; nobody is in it any more."""
        with self._lock:
            name = self._group(given).name
            self._users.leave_group(name)
            del self._groups[name]
        return {}

    def list_groups(self, given: _Given) -> _Reply:
        """Return the groups by name, a page at a time."""
        found, more = _page(sorted(self._groups.values(), key=lambda group: group.name), given)
        return {"Groups": [self._described(group) for group in found], **more}

    def admin_add_user_to_group(self, given: _Given) -> _Reply:
        """Put a user into a group."""
        with self._lock:
            self._move(self._user(given).username, self._group(given).name, joins=True)
        return {}

    def admin_remove_user_from_group(self, given: _Given) -> _Reply:
        """Take a user out of a group."""
        with self._lock:
            self._move(self._user(given).username, self._group(given).name, joins=False)
        return {}

    def admin_list_groups_for_user(self, given: _Given) -> _Reply:
        """Return the groups that a user is in, a page at a time."""
        found, more = _page(self._of(self._user(given)), given)
        return {"Groups": [self._described(group) for group in found], **more}

    def list_users_in_group(self, given: _Given) -> _Reply:
        """Return who is in a group, a page at a time."""
        found, more = _page(self._users.members_of(self._group(given).name), given)
        return {"Users": [user_description(user, attributes="Attributes") for user in found], **more}

    def claims_of(self, user: PoolUser) -> GroupClaims:
        """Return what tokens say of the user's groups: the most preferred first, and its role, unless two are as good."""
        groups = self._of(user)
        roles = tuple(dict.fromkeys(group.role for group in groups if group.role))
        with_role = [group for group in groups if group.role]
        best = {group.role for group in with_role if group.precedence == with_role[0].precedence}
        return GroupClaims(tuple(group.name for group in groups), roles, best.pop() if len(best) == 1 else None)

    def _of(self, user: PoolUser) -> list[Group]:
        found = [self._groups[name] for name in user.groups if name in self._groups]
        return sorted(found, key=lambda group: (group.precedence is None, group.precedence or 0, group.name))

    def _group(self, given: _Given) -> Group:
        group = self._groups.get(given["GroupName"])
        if group is None:
            raise errors.ResourceNotFoundException("Group not found.")
        return group

    def _user(self, given: _Given) -> PoolUser:
        user = self._users.find(given["Username"]).user
        if user is None:
            raise errors.UserNotFoundException("User does not exist.")
        return user

    def _move(self, username: str, group: str, *, joins: bool) -> None:
        with self._users.changing(username) as draft:
            others = tuple(name for name in draft.user.groups if name != group)
            draft.set_groups((*others, group) if joins else others)

    def _keep(self, group: Group) -> None:
        self._keeper.keep_group(group)
        self._groups[group.name] = group

    def _described(self, group: Group) -> _Reply:
        optional = {"Description": group.description, "RoleArn": group.role, "Precedence": group.precedence}
        return {
            "GroupName": group.name,
            "UserPoolId": self._pool_id,
            **{name: value for name, value in optional.items() if value is not None},
            "LastModifiedDate": datetime.fromtimestamp(group.modified, UTC),
            "CreationDate": datetime.fromtimestamp(group.created, UTC),
        }


def _page(found: Sequence[T], given: _Given) -> tuple[Sequence[T], _Reply]:
    """Return the page that *given* asks for, and the token of the next one if there is more."""
    token: str = given.get("NextToken", "0")
    if not (token.isascii() and token.isdigit() and len(token) < 10):
        raise errors.InvalidParameterException("Invalid pagination token given.")
    end = int(token) + (given.get("Limit") or _PAGE)
    return found[int(token) : end], {"NextToken": str(end)} if end < len(found) else {}
