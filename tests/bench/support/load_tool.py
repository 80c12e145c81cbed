"""`fair-bingo load` as benchmarks start it: real tokens, payments and games."""

from pathlib import Path

from server.dev.issuer import DevIssuer
from tests.support.process import ChildProcess
from tests.system.conftest import FAIR_BINGO


def load_tool(
    server_url: str, issuer: DevIssuer, keys: Path, output: Path, **options: object
) -> ChildProcess:
    """Start it against a server, whose players nobody's claim sends home early: games last all
    their calls. The issuer and the provider have their keys in the directory `keys`; what it prints
    goes to the file `output`; `options` are its own, with `_` for `-`."""
    given = {
        "token_key": keys / "issuer-ed25519.pem",
        "webhook_key": keys / "provider-ed25519.pem",
        "issuer": issuer.issuer,
        "audience": issuer.audience,
        "kid": issuer.keys["EdDSA"].kid,
    } | options
    words = [f"--{name.replace('_', '-')}={value}" for name, value in given.items()]
    return ChildProcess([FAIR_BINGO, "load", server_url, "--no-claims", *words], {}, output)
