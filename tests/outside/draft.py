"""A valid token, and the ways to change one thing in it and sign it again."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.outside.issuer import SigningKey, as_json, compact

NOW = 1_770_000_000.0
ISSUER = "https://sso.example"
AUDIENCE = "00000003provider"


@dataclass(frozen=True)
class Draft:
    """A valid token before it is signed."""

    key: SigningKey
    header: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(
        default_factory=lambda: {
            "iss": ISSUER,
            "sub": "alien:42",
            "aud": AUDIENCE,
            "iat": NOW - 60,
            "exp": NOW + 3600,
        }
    )

    def header_json(self) -> bytes:
        return as_json(self._header())

    def claims_json(self) -> bytes:
        return as_json(self.claims)

    def with_header(self, **members: Any) -> str:
        return dataclasses.replace(self, header=members).signed()

    def with_claims(self, **members: Any) -> str:
        return dataclasses.replace(self, claims=self.claims | members).signed()

    def without(self, name: str) -> str:
        """The token without this member of its header or claims."""
        header = as_json({k: v for k, v in self._header().items() if k != name})
        claims = as_json({k: v for k, v in self.claims.items() if k != name})
        return compact(header, claims, self.key)

    def signed(self) -> str:
        return compact(self.header_json(), self.claims_json(), self.key)

    def with_claims_bytes(self, spoil: Callable[[bytes], bytes]) -> str:
        return compact(self.header_json(), spoil(self.claims_json()), self.key)

    def with_header_bytes(self, spoil: Callable[[bytes], bytes]) -> str:
        return compact(spoil(self.header_json()), self.claims_json(), self.key)

    def resegmented(self, change: Callable[[str, str, str], str]) -> str:
        return change(*self.signed().split("."))

    def claims_written(self, name: str, literal: str) -> str:
        """The token with this literal text as the value of a claim."""
        claims = self.claims_json()[:-1] + f', "{name}": {literal}}}'.encode()
        return compact(self.header_json(), claims, self.key)

    def claim_rewritten(self, name: str, literal: str) -> str:
        """The token with this literal text instead of the value of a claim."""
        kept = {k: v for k, v in self.claims.items() if k != name}
        return dataclasses.replace(self, claims=kept).claims_written(name, literal)

    def _header(self) -> dict[str, Any]:
        return {"alg": self.key.alg, "kid": self.key.kid, "typ": "JWT"} | self.header
