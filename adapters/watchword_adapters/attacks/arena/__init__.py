"""The arena: a flow with everything around it that an attacker meets."""
