"""User groups of the workspace: who is in them. Needs the scope `usergroups:read`."""

from connectors.duty import GroupMember
from connectors.errors import ChannelError
from connectors.slack.payloads import UserAnswer, WireModel
from connectors.slack.wire import SlackWire

SCOPE = "usergroups:read"


class GroupUsers(WireModel):
    users: tuple[str, ...]


class SlackGroups:
    """Fulfils `connectors.duty.UserGroups`."""

    def __init__(self, wire: SlackWire) -> None:
        self._wire = wire
        self._names: dict[str, str] = {}

    async def members(self, group: str) -> tuple[GroupMember, ...]:
        """Of a disabled group nobody. A name that Slack does not tell is left empty: it is never worth the list."""
        answer = await self._wire.read("usergroups.users.list", {"usergroup": group}, GroupUsers)
        return tuple([GroupMember(slack=user, name=await self._name(user)) for user in answer.users])

    async def _name(self, user: str) -> str:
        if user not in self._names:
            try:
                known = (await self._wire.read("users.info", {"user": user}, UserAnswer)).user
            except ChannelError:
                return ""
            self._names[user] = known.profile.display_name or known.profile.real_name or known.name
        return self._names[user]
