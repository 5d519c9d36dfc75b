"""The contract: what a kind, a courier, a ledger and the host's other ports must be and may do."""
