"""Advice: what Cognito's native flows could do of a flow, what only custom authentication can, and what each costs a month."""
