"""AWS as a function meets it: Cognito's events, Lambda's environment, botocore's log."""
