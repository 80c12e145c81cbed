"""The command that needs no server: `verify`."""

from typing import Annotated

import typer

from server.cli.console import beacon_keys_of_environment, fail
from server.cli.documents import read_document
from server.services.game_files import verify_document


def verify(
    proof: Annotated[
        str, typer.Argument(help="A proof or an exported game.", metavar="FILE-or-URL")
    ],
) -> None:
    """Check the proof that a draw was fair. Its beacon is checked by the public key of quicknet, or
    by BEACON_PUBLIC_KEY for the chain BEACON_CHAIN_HASH."""
    document = read_document(proof)
    differences = verify_document(document, beacon_keys_of_environment())
    if differences:
        fail("\n".join(differences))
    called_off = isinstance(document, dict) and "log" in document and document["proof"] is None
    print("The record holds; the game was called off." if called_off else "The proof holds.")
