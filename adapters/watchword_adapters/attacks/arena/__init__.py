"""What attacks run against: a flow with host, users, clients and ledger, all of it watched."""
