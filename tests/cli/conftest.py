"""Commands run as processes beside servers that do, by the fixtures of the tests of the system."""

from tests.system.conftest import (
    fair_bingo,
    node_modules,
    open_server,
    replayed,
    serve,
    start_serve,
    stored,
    variables,
)

__all__ = [
    "fair_bingo",
    "node_modules",
    "open_server",
    "replayed",
    "serve",
    "start_serve",
    "stored",
    "variables",
]
