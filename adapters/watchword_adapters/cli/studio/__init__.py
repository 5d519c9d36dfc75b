"""The studio: a page with a flow as text, as a diagram, and as a sign-in that works."""
