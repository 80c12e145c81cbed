"""The command line. Every process of ours begins here."""

import os

from server.runtime.lean_imports import without

# Before it builds its first model, pydantic reads what every installed package offers, in search of
# plug-ins, which are nothing that the wire models should depend on.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

# For tracebacks with values of variables, which are never shown, structlog imports all of rich, and
# for a deprecated part greenlet.
with without("greenlet", "rich"):
    import structlog as structlog
