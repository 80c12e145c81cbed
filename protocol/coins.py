"""Amounts of coins, which need not be whole: exact numbers in JSON."""

from decimal import Decimal
from typing import Annotated, Any

import orjson
from pydantic import PlainSerializer, WithJsonSchema


def _exact(amount: Decimal) -> Any:
    """The amount as it stands in JSON, with all its digits and no more."""
    text = f"{amount:f}"
    return orjson.Fragment(text.rstrip("0").rstrip(".") if "." in text else text)


Coins = Annotated[Decimal, PlainSerializer(_exact), WithJsonSchema({"type": "number"})]
