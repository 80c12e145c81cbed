"""JSON as RFC 8259 means it, for everything that strangers send.

The standard reader also takes `NaN`, numbers too large for a float, and an object that says one
thing twice: three ways to make two readers of one message disagree.
"""

import json
import math
from typing import Any


def loads(text: str | bytes) -> Any:
    """The value of a JSON document; bytes are UTF-8 without a byte order mark.

    Raises ValueError for anything else, and for duplicate keys, `NaN`, `Infinity`, numbers that
    are infinite as a float, lone surrogates, and nesting that Python cannot follow.
    """
    if isinstance(text, bytes):
        text = text.decode()
    try:
        value = _DECODER.decode(text)
        if "\\u" in text or not text.isascii():  # the only two ways in for a lone surrogate
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("duplicate key")
    return value


def _float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("number out of range")
    return number


def _int(digits: str) -> int:
    _float(digits)
    return int(digits)


def _constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_float, parse_int=_int, parse_constant=_constant
)
