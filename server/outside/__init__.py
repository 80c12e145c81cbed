"""Other people's servers, which ours asks."""

from server.runtime.lean_imports import without_certificates

# When it is imported, aiohttp reads every certificate that this machine trusts, for clients that
# do not say whom they trust. Ours do (authorities.py), and that is a sixth of a start.
with without_certificates():
    import aiohttp as aiohttp
