"""HTTP: sockets, connections, Cognito's wire protocol, and the application between."""
