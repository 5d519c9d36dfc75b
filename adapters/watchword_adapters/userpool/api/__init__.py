"""The service's interface: parameters, errors, the schema of users, the app client."""
