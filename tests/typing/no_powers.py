"""What is no power, for type checkers only: each line that they must refuse says so."""

from kinds_of_each_form import BySetting, Plain, WithSettingsNamedLikeMembers

from watchword.contract.powers import NeedsModules, Prepares, Sends

plain: Sends = Plain()  # refused
needy: NeedsModules = BySetting()  # refused
sender: Sends = WithSettingsNamedLikeMembers()  # refused
preparing: Prepares = WithSettingsNamedLikeMembers()  # refused
