"""The texts of messages: their settings, their templates, and how many parts an SMS has."""
