"""SRP-6a as Cognito speaks it: the arithmetic, a client, and the password round that a host checks itself."""
