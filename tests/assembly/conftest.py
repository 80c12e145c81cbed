"""Servers as processes of their own and in this one, by the fixtures of the tests of the system."""

from tests.system.conftest import open_server, replayed, serve, start_serve, variables

__all__ = ["open_server", "replayed", "serve", "start_serve", "variables"]
