"""The command line. Every process of ours begins here."""

from server.runtime.lean_imports import without

# For tracebacks with values of variables, which are never shown, structlog imports all of rich, and
# for a deprecated part greenlet.
with without("greenlet", "rich"):
    import structlog as structlog
