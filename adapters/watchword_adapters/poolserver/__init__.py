"""A local user pool over HTTP, for real sign-in clients: see `serving`."""

from watchword_adapters.poolserver.http.server import serving

__all__ = ["serving"]
