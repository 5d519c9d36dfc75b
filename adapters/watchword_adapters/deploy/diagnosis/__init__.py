"""The diagnosis: what is wrong with a deployment, and the commands that mend it."""
