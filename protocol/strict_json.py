"""JSON as RFC 8259 means it, for everything that strangers send.

The standard reader also takes `NaN`, numbers too large for a float, and an object that says one
thing twice: three ways to make two readers of one message disagree.
"""

import json
import math
from functools import partial
from typing import Any, Final


def loads(text: str | bytes) -> Any:
    """The value of a JSON document; bytes are UTF-8 without a byte order mark.

    Raises ValueError for anything else, and for duplicate keys, `NaN`, `Infinity`, numbers that
    are infinite as a float, lone surrogates, and nesting that Python cannot follow.
    """
    value, is_text = read(text)
    if not is_text:
        raise ValueError("half a surrogate pair")
    return value


def read(text: str | bytes) -> tuple[Any, bool]:
    """Like `loads`, but lone surrogates are no error: it is said whether there are none.

    They are well-formed JSON, and what JavaScript sends of a text that was cut amid an emoji. No
    encoder takes them, so such a value is for nobody who writes it anywhere.
    """
    if isinstance(text, bytes):
        text = text.decode()
    try:
        value = (_SHORT if len(text) <= _ALWAYS_FINITE else _LONG).decode(text)
        # The only two ways in for a lone surrogate.
        is_text = ("\\u" not in text and text.isascii()) or _is_encodable(value)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value, is_text


def _is_encodable(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


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


_ALWAYS_FINITE: Final = 308
"""An integer of so many digits is finite as a float, so none of a shorter text has to be looked
at: that takes longer than all the rest."""
_decoder = partial(
    json.JSONDecoder, object_pairs_hook=_object, parse_float=_float, parse_constant=_constant
)
_SHORT: Final = _decoder()
_LONG: Final = _decoder(parse_int=_int)
