"""The texts of messages: their settings and their templates."""
