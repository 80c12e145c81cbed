"""Tokens to accept, and hostile ones.

Every hostile token is a valid one with a single thing spoilt, and correctly signed after that
unless the signature is what is spoilt.
"""

import base64
from collections.abc import Callable

from server.outside.token import LAST_SECOND, TOKEN_MAX_BYTES
from tests.outside.draft import AUDIENCE, ISSUER, NOW, Draft
from tests.outside.issuer import Ed25519Key, as_json

ACCEPTED: dict[str, Callable[[Draft], str]] = {
    "as it is": lambda t: t.signed(),
    "without typ": lambda t: t.without("typ"),
    "typ at+jwt": lambda t: t.with_header(typ="at+jwt"),
    "an unknown header": lambda t: t.with_header(x5t="abc"),
    "an unknown claim": lambda t: t.with_claims(scope="openid", nested={"a": [1]}),
    "an array of one audience": lambda t: t.with_claims(aud=[AUDIENCE]),
    "an array with other audiences": lambda t: t.with_claims(aud=[ISSUER, AUDIENCE]),
    "integer times": lambda t: t.with_claims(iat=int(NOW), exp=int(NOW) + 1),
    "a fraction of a second left": lambda t: t.with_claims(exp=NOW + 0.25),
    "the longest life": lambda t: t.with_claims(iat=NOW, exp=NOW + 86400),
    "iat in the future": lambda t: t.with_claims(iat=NOW + 1800),
    "nbf in the past": lambda t: t.with_claims(nbf=NOW - 1),
    "nbf now": lambda t: t.with_claims(nbf=NOW),
    "a sub of one character": lambda t: t.with_claims(sub="_"),
    "a sub of 128 characters": lambda t: t.with_claims(sub="aZ09._:@-".ljust(128, "x")),
    "exactly 8,192 bytes": lambda t: of_length(t, TOKEN_MAX_BYTES),
}


def of_length(draft: Draft, length: int) -> str:
    """The token padded to this many bytes by an unknown claim."""
    short = len(draft.with_claims(pad=""))
    for pad in range((length - short) * 3 // 4 - 4, length):
        token = draft.with_claims(pad="x" * pad)
        if len(token) >= length:
            return token
    raise AssertionError("unreachable")


HOSTILE_FORMS: dict[str, Callable[[Draft], object]] = {
    "nothing": lambda t: None,
    "an empty string": lambda t: "",
    "bytes": lambda t: t.signed().encode(),
    "a list": lambda t: [t.signed()],
    "an object": lambda t: {"token": t.signed()},
    "a prefix": lambda t: "Bearer " + t.signed(),
    "a space before": lambda t: " " + t.signed(),
    "a line end after": lambda t: t.signed() + "\n",
    "a character beyond ASCII": lambda t: t.signed() + "é",
    "a lone surrogate": lambda t: t.signed() + "\ud800",
    "8,193 bytes or one more": lambda t: of_length(t, TOKEN_MAX_BYTES + 1),
    "one segment": lambda t: t.resegmented(lambda h, c, s: h),
    "two segments": lambda t: t.resegmented(lambda h, c, s: f"{h}.{c}"),
    "four segments": lambda t: t.signed() + ".",
    "five segments (JWE)": lambda t: t.resegmented(lambda h, c, s: f"{h}.{c}.{s}.{s}.{s}"),
    "the JSON serialization": lambda t: t.resegmented(json_serialization),
    "no header": lambda t: t.resegmented(lambda h, c, s: f".{c}.{s}"),
    "no claims": lambda t: t.resegmented(lambda h, c, s: f"{h}..{s}"),
    "a padded signature": lambda t: t.signed() + "==",
    "a signature with stray bits": lambda t: with_stray_bits(t.signed()),
    "a line end in a segment": lambda t: t.resegmented(lambda h, c, s: f"{h}.{c}.{s[:9]}\n{s[9:]}"),
    "padded claims": lambda t: signed_segments(t, pad=True),
    "the other base64 alphabet": lambda t: signed_segments(t, other_alphabet=True),
    "a header that is a list": lambda t: t.with_header_bytes(lambda h: b"[" + h + b"]"),
    "claims that are a list": lambda t: t.with_claims_bytes(lambda c: b"[" + c + b"]"),
    "claims that are a string": lambda t: t.with_claims_bytes(lambda c: b'"claims"'),
    "claims that are no JSON": lambda t: t.with_claims_bytes(lambda c: c + b"x"),
    "claims nested deeply": lambda t: t.with_claims_bytes(lambda c: b"[" * 5000),
    "claims in UTF-16": lambda t: t.with_claims_bytes(lambda c: c.decode().encode("utf-16")),
    "claims after a byte order mark": lambda t: t.with_claims_bytes(lambda c: b"\xef\xbb\xbf" + c),
    "claims in Latin-1": lambda t: t.with_claims_bytes(lambda c: c[:-1] + b', "a": "\xe9"}'),
    "a header in UTF-16": lambda t: t.with_header_bytes(lambda h: h.decode().encode("utf-16")),
    "a duplicate alg": lambda t: t.with_header_bytes(lambda h: b'{"alg": "EdDSA", ' + h[1:]),
    "a duplicate kid": lambda t: t.with_header_bytes(lambda h: b'{"kid": "other", ' + h[1:]),
    "a duplicate sub": lambda t: t.claims_written("sub", '"alien:43"'),
    "a duplicate exp": lambda t: t.claims_written("exp", str(NOW + 7200)),
    "a number that overflows": lambda t: t.claims_written("unknown", "1e999"),
}


def json_serialization(header: str, claims: str, signature: str) -> str:
    return as_json({"protected": header, "payload": claims, "signature": signature}).decode()


def with_stray_bits(token: str) -> str:
    """The token with another last character that stands for the same bytes of the signature."""
    signature = base64.urlsafe_b64decode(token.rsplit(".", 1)[1] + "==")
    for character in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz":
        spoilt = token[:-1] + character
        same = base64.urlsafe_b64decode(spoilt.rsplit(".", 1)[1] + "==") == signature
        if same and spoilt != token:
            return spoilt
    raise AssertionError("a signature of 64 bytes leaves four bits over")


def signed_segments(draft: Draft, pad: bool = False, other_alphabet: bool = False) -> str:
    """The token with its claims in another base64 than the one of JWS, signed as they stand."""
    claims = dict(draft.claims) | {"pad": "~~~???>>>"}
    while len(as_json(claims)) % 3 == 0:
        claims["pad"] += "~"
    encode = base64.b64encode if other_alphabet else base64.urlsafe_b64encode
    segment = encode(as_json(claims))
    header = base64.urlsafe_b64encode(draft.header_json()).rstrip(b"=")
    signing_input = header + b"." + (segment if pad else segment.rstrip(b"="))
    if other_alphabet:
        assert {b"+"[0], b"/"[0]} & set(signing_input)
    signature = base64.urlsafe_b64encode(draft.key.sign(signing_input)).rstrip(b"=")
    return (signing_input + b"." + signature).decode()


HOSTILE_HEADERS: dict[str, Callable[[Draft], str]] = {
    "no alg": lambda t: t.without("alg"),
    "alg none": lambda t: t.with_header(alg="none"),
    "alg none without a signature": lambda t: t.with_header(alg="none").rsplit(".", 1)[0] + ".",
    "alg HS256": lambda t: t.with_header(alg="HS256"),
    "alg RS256 for an Ed25519 key": lambda t: t.with_header(alg="RS256"),
    "alg RS512": lambda t: t.with_header(alg="RS512"),
    "alg PS256": lambda t: t.with_header(alg="PS256"),
    "alg ES256": lambda t: t.with_header(alg="ES256"),
    "alg in other letters": lambda t: t.with_header(alg="EDDSA"),
    "alg that is a list": lambda t: t.with_header(alg=["EdDSA"]),
    "alg null": lambda t: t.with_header(alg=None),
    "no kid": lambda t: t.without("kid"),
    "an empty kid": lambda t: t.with_header(kid=""),
    "a kid that is a number": lambda t: t.with_header(kid=1),
    "a kid that is null": lambda t: t.with_header(kid=None),
    "the kid of another key": lambda t: t.with_header(kid="rsa"),
    "an unknown kid": lambda t: t.with_header(kid="unknown"),
    "a foreign typ": lambda t: t.with_header(typ="dpop+jwt"),
    "typ of a logout token": lambda t: t.with_header(typ="logout+jwt"),
    "typ null": lambda t: t.with_header(typ=None),
    "an empty typ": lambda t: t.with_header(typ=""),
    "crit": lambda t: t.with_header(crit=["exp"]),
    "crit that is empty": lambda t: t.with_header(crit=[]),
    "zip": lambda t: t.with_header(zip="DEF"),
    "b64": lambda t: t.with_header(b64=False),
    "an embedded key": lambda t: t.with_header(jwk=t.key.jwk()),
    "a linked key": lambda t: t.with_header(jku="http://127.0.0.1:9/jwks"),
    "an embedded certificate": lambda t: t.with_header(x5c=["MIIB"]),
    "a linked certificate": lambda t: t.with_header(x5u="http://127.0.0.1:9/cert"),
}

HOSTILE_CLAIMS: dict[str, Callable[[Draft], str]] = {
    "no iss": lambda t: t.without("iss"),
    "no sub": lambda t: t.without("sub"),
    "no aud": lambda t: t.without("aud"),
    "no exp": lambda t: t.without("exp"),
    "no iat": lambda t: t.without("iat"),
    "iss null": lambda t: t.with_claims(iss=None),
    "sub null": lambda t: t.with_claims(sub=None),
    "aud null": lambda t: t.with_claims(aud=None),
    "exp null": lambda t: t.with_claims(exp=None),
    "iat null": lambda t: t.with_claims(iat=None),
    "nbf null": lambda t: t.with_claims(nbf=None),
    "another iss": lambda t: t.with_claims(iss="https://sso.example.org"),
    "iss with a slash": lambda t: t.with_claims(iss=ISSUER + "/"),
    "iss that is a list": lambda t: t.with_claims(iss=[ISSUER]),
    "another aud": lambda t: t.with_claims(aud="other"),
    "the issuer as aud": lambda t: t.with_claims(aud=ISSUER),
    "the issuer as the only aud": lambda t: t.with_claims(aud=[ISSUER]),
    "an empty aud": lambda t: t.with_claims(aud=""),
    "no aud in the array": lambda t: t.with_claims(aud=[]),
    "aud that starts like ours": lambda t: t.with_claims(aud=AUDIENCE[:-1]),
    "aud with ours in it": lambda t: t.with_claims(aud=f"x {AUDIENCE}"),
    "aud that is an object": lambda t: t.with_claims(aud={AUDIENCE: True}),
    "aud with a number": lambda t: t.with_claims(aud=[AUDIENCE, 1]),
    "aud in an array in an array": lambda t: t.with_claims(aud=[[AUDIENCE]]),
    "an empty sub": lambda t: t.with_claims(sub=""),
    "a sub of 129 characters": lambda t: t.with_claims(sub="x" * 129),
    "a sub that is a number": lambda t: t.with_claims(sub=42),
    "a sub with a space": lambda t: t.with_claims(sub="alien 42"),
    "a sub with a line end": lambda t: t.with_claims(sub="alien:42\n"),
    "a sub with CR LF": lambda t: t.with_claims(sub="alien\r\n42"),
    "a sub with NUL": lambda t: t.with_claims(sub="alien\0"),
    "a sub with braces": lambda t: t.with_claims(sub="{3500}"),
    "a sub with a slash": lambda t: t.with_claims(sub="a/b"),
    "a sub beyond ASCII": lambda t: t.with_claims(sub="älien"),
    "a sub of other digits": lambda t: t.with_claims(sub="alien:٤٢"),
    "exp that is a string": lambda t: t.with_claims(exp=str(NOW + 3600)),
    "exp that is true": lambda t: t.with_claims(exp=True),
    "exp that is a list": lambda t: t.with_claims(exp=[NOW + 3600]),
    "exp NaN": lambda t: t.claim_rewritten("exp", "NaN"),
    "exp Infinity": lambda t: t.claim_rewritten("exp", "Infinity"),
    "exp 1e999": lambda t: t.claim_rewritten("exp", "1e999"),
    "exp 1e300": lambda t: t.with_claims(exp=1e300),
    "exp of 400 digits": lambda t: t.claim_rewritten("exp", "1" * 400),
    "exp in 100 years": lambda t: t.with_claims(exp=NOW + 100 * 365 * 86400),
    "exp a moment too far from iat": lambda t: t.with_claims(iat=NOW, exp=NOW + 86400.5),
    "an exp after the year 9999": lambda t: t.with_claims(iat=LAST_SECOND, exp=LAST_SECOND + 1),
    "iat and exp 1e300": lambda t: t.with_claims(iat=1e300, exp=1e300),
    "iat long ago": lambda t: t.with_claims(iat=0),
    "iat that is a string": lambda t: t.with_claims(iat=str(NOW)),
    "iat that is false": lambda t: t.with_claims(iat=False),
    "iat minus Infinity": lambda t: t.claim_rewritten("iat", "-Infinity"),
    "nbf in the future": lambda t: t.with_claims(nbf=NOW + 0.5),
    "nbf that is a string": lambda t: t.with_claims(nbf=str(NOW)),
    "nbf that is true": lambda t: t.with_claims(nbf=True),
    "expired and for another": lambda t: t.with_claims(exp=NOW - 1, aud="other"),
    "expired and not yet valid": lambda t: t.with_claims(exp=NOW - 1, nbf=NOW + 1),
}

HOSTILE_SIGNATURES: dict[str, Callable[[Draft], str]] = {
    "no signature": lambda t: t.resegmented(lambda h, c, s: f"{h}.{c}."),
    "a short signature": lambda t: t.resegmented(lambda h, c, s: f"{h}.{c}.{s[:-4]}"),
    "a long signature": lambda t: t.resegmented(lambda h, c, s: f"{h}.{c}.AAAA{s}"),
    "a signature of zeros": lambda t: t.resegmented(lambda h, c, s: f"{h}.{c}.{'A' * len(s)}"),
    "the signature of another token": lambda t: t.resegmented(
        lambda h, c, s: f"{h}.{c}.{t.with_claims(sub='x').rsplit('.', 1)[1]}"
    ),
    "another key under the kid": lambda t: Draft(Ed25519Key(t.key.kid)).signed(),
    "expired and badly signed": lambda t: t.with_claims(exp=NOW - 1)[:-8] + "AAAAAAAA",
}

HOSTILE = {**HOSTILE_FORMS, **HOSTILE_HEADERS, **HOSTILE_CLAIMS, **HOSTILE_SIGNATURES}
