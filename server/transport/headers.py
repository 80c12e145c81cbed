"""Headers by their grammar (RFC 9110): lists, weights, credentials, entity tags. Several headers
of a name are one list, and no case counts but that of what is quoted or a secret."""

import re
from collections.abc import Iterable
from typing import Final

from aiohttp import web

_ENTITY_TAG: Final = re.compile(r'(?:W/)?"([^"]*)"')
_WEIGHT: Final = re.compile(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", re.ASCII)


def elements(request: web.BaseRequest, name: str) -> list[str]:
    """The elements of a list, in lower case. Empty ones are none (5.6.1)."""
    values = ",".join(request.headers.getall(name, ())).split(",")
    return [value.strip().lower() for value in values if value.strip()]


def weight(accepted: Iterable[str], *names: str) -> float:
    """How much one of `names` is wanted by the elements of an `Accept` or the like (12.4.2): that
    of the first name that is there, 0 if none is. A weight that is none wants nothing."""
    weights = dict(map(_weighted, accepted))
    return next((weights[name] for name in names if name in weights), 0.0)


def _weighted(element: str) -> tuple[str, float]:
    name, *parameters = (part.strip() for part in element.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            written = parameter.removeprefix("q=")
            return name, float(written) if _WEIGHT.fullmatch(written) else 0.0
    return name, 1.0


def takes_gzip(request: web.BaseRequest) -> bool:
    """Whether an answer may be compressed so (12.5.3)."""
    return weight(elements(request, "Accept-Encoding"), "gzip", "x-gzip", "*") > 0


def is_encoded(request: web.BaseRequest) -> bool:
    """Whether a body is anything but what it is (8.4)."""
    return any(coding != "identity" for coding in elements(request, "Content-Encoding"))


def knows(request: web.BaseRequest, entity_tag: str) -> bool:
    """Whether the client has what this tag stands for, weak or not (13.1.2)."""
    tags = ",".join(request.headers.getall("If-None-Match", ())).strip()
    return tags == "*" or entity_tag in _ENTITY_TAG.findall(tags)


def credentials(request: web.BaseRequest, scheme: str) -> str | None:
    """What follows the `scheme`, written in lower case, in `Authorization` (11.4); None if there is
    another one, or more than one header, of which we would have to choose."""
    given = request.headers.getall("Authorization", ())
    if len(given) != 1:
        return None
    found, _, rest = given[0].strip(" \t").partition(" ")
    return rest.strip(" ") or None if found.lower() == scheme else None
