"""HTTP APIs as functions from a request to a reply: the values, who may call, and from which pages."""
