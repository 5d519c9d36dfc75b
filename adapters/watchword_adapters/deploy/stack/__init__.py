"""The stack: the CloudFormation template of a flow's functions."""
