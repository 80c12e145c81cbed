"""The form of a token: a compact JWS (RFC 7515) of JWT claims (RFC 7519), read strictly.

Where a lenient reader would repair a token or guess, this one refuses: two readers that repair
differently are how a token means one thing where it is checked and another where it is used.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from jwt.utils import base64url_decode, base64url_encode
from pydantic import BaseModel, ConfigDict, Field

from protocol import strict_json

TOKEN_MAX_BYTES = 8192

# Each would let the token say how it is to be checked, or change what its bytes mean.
REFUSED_HEADERS = frozenset({"crit", "zip", "b64", "jwk", "jku", "x5c", "x5u"})

LAST_SECOND = 253_402_300_799  # of the year 9999: what comes after is no date to any library
UnixSeconds = Annotated[float, Field(le=LAST_SECOND, allow_inf_nan=False)]


class Header(BaseModel):
    """The members of a token's header that decide how it is checked."""

    model_config = ConfigDict(strict=True, frozen=True, defer_build=True)

    alg: Literal["RS256", "EdDSA"]
    kid: Annotated[str, Field(min_length=1)]
    typ: Literal["JWT", "at+jwt"] = "JWT"


class Claims(BaseModel):
    """The claims that matter here. Times are Unix seconds and may have a fraction."""

    model_config = ConfigDict(strict=True, frozen=True, defer_build=True)

    iss: str
    sub: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:@-]{1,128}$")]
    aud: str | list[str]
    exp: UnixSeconds
    iat: UnixSeconds
    nbf: UnixSeconds = 0


@dataclass(frozen=True, slots=True)
class Token:
    """A well-formed token. Nothing in it is to be believed before its signature is verified."""

    header: Header
    claims: Claims
    signing_input: bytes
    signature: bytes


def read_token(token: object) -> Token:
    """Reads whatever a client sent as its token. Raises ValueError when it is not well-formed."""
    if not isinstance(token, str) or len(token) > TOKEN_MAX_BYTES:
        raise ValueError("not a string, or too long")
    header, claims, signature = token.encode("ascii").split(b".")
    return Token(
        header=_read_header(header),
        claims=Claims.model_validate(_read_object(claims)),
        signing_input=header + b"." + claims,
        signature=_decode(signature),
    )


def _read_header(segment: bytes) -> Header:
    members = _read_object(segment)
    if not REFUSED_HEADERS.isdisjoint(members):
        raise ValueError("a header that is not allowed")
    return Header.model_validate(members)


def _read_object(segment: bytes) -> dict[str, Any]:
    value = strict_json.loads(_decode(segment))
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


def _decode(segment: bytes) -> bytes:
    decoded = base64url_decode(segment)
    if base64url_encode(decoded) != segment:  # padding, another alphabet, stray bits or bytes
        raise ValueError("not base64url without padding")
    return decoded
