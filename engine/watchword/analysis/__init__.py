"""Analysis of a flow before anybody signs in: its states, what they prove, what they cost."""
