"""A beacon for development: drand's HTTP API (v1) with a key of its own, and a round a second."""

import hashlib
import json
import secrets
import time
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from py_arkworks_bls12381 import G1Point, G2Point, Scalar

from server.rules.beacon import HASH_TO_G1, SCHEME, Chain, randomness

GENESIS_SECONDS: Final = 1_700_000_000
# Of the groups of BLS12-381: secret keys are below it.
_ORDER: Final = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001


class DevBeacon:
    """Signs rounds, one each `period_seconds`, by itself: whoever has its key knows all rounds.

    The key is `secret`, or else that which earlier runs left in `data_dir`; without either it is
    new. Its public key is written to `data_dir` as well, for `fair-bingo verify`. `chain` is what
    clients know of it.
    """

    def __init__(
        self,
        data_dir: Path | None = None,
        *,
        secret: int | None = None,
        period_seconds: int = 1,
    ) -> None:
        self._secret = Scalar(secret or _load_or_generate(data_dir and data_dir / "beacon.hex"))
        public_key = (G2Point() * self._secret).to_compressed_bytes()
        group_hash = hashlib.sha256(b"fair-bingo dev").digest()
        schedule = period_seconds.to_bytes(4, "big") + GENESIS_SECONDS.to_bytes(8, "big")
        self.chain = Chain(
            chain_hash=hashlib.sha256(schedule + public_key + group_hash).hexdigest(),
            public_key=public_key.hex(),
            genesis_ms=GENESIS_SECONDS * 1000,
            period_ms=period_seconds * 1000,
        )
        if data_dir is not None:
            known_keys = data_dir / "beacon.json"  # `fair-bingo verify` reads it
            known_keys.write_text(json.dumps({self.chain.chain_hash: self.chain.public_key}))

    def signature(self, round: int) -> str:
        """The signature (hex) of a round, whether its time has come or not."""
        message = hashlib.sha256(round.to_bytes(8, "big")).digest()
        point = G1Point.hash_to_curve(message, HASH_TO_G1) * self._secret
        return point.to_compressed_bytes().hex()

    def info(self) -> dict[str, Any]:
        """What `/<chain_hash>/info` answers."""
        return {
            "public_key": self.chain.public_key,
            "period": self.chain.period_ms // 1000,
            "genesis_time": self.chain.genesis_ms // 1000,
            "hash": self.chain.chain_hash,
            "schemeID": SCHEME,
            "metadata": {"beaconID": "fair-bingo-dev"},
        }

    def answer(self, round: int) -> dict[str, Any]:
        """What `/<chain_hash>/public/<round>` answers."""
        signature = self.signature(round)
        return {"round": round, "randomness": randomness(signature), "signature": signature}

    def latest(self) -> int:
        """The latest round whose time has come, by this machine's clock."""
        passed_ms = int(time.time() * 1000) - self.chain.genesis_ms
        return passed_ms // self.chain.period_ms + 1

    def routes(self) -> list[web.RouteDef]:
        """The routes of the API, for an aiohttp application."""

        async def answer_info(_: web.Request) -> web.Response:
            return web.json_response(self.info())

        async def answer_round(request: web.Request) -> web.Response:
            named, latest = request.match_info["round"], self.latest()
            number = latest if named == "latest" else int(named)
            if not 0 < number <= latest:
                raise web.HTTPNotFound
            return web.json_response(self.answer(number))

        chain = f"/{self.chain.chain_hash}"
        return [
            web.get(f"{chain}/info", answer_info),
            web.get(f"{chain}/public/{{round:latest|[0-9]{{1,15}}}}", answer_round),
        ]


def _load_or_generate(path: Path | None) -> int:
    if path is not None and path.exists():
        return int(path.read_text(), 16)
    secret = secrets.randbelow(_ORDER - 1) + 1
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(f"{secret:064x}")
    return secret
