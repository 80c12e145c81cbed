"""Amounts of coins: exact, whatever their size. No float and no rounding ever meets them.

A whole amount is an int, any other a Fraction; both add up without loss.
"""

import re
from decimal import Decimal
from fractions import Fraction
from itertools import count
from typing import Final

Coins = int | Fraction

# More digits than any sum of payments has, and so few that an int and a float take them.
_PLAIN: Final = re.compile(r"-?[0-9]{1,100}(?:\.[0-9]{1,100})?")


def coins_of(units: int, decimals: int) -> Coins:
    """What so many of the token's smallest unit are in coins of `decimals` decimals."""
    return _plainest(Fraction(units, 10**decimals))


def coins_text(amount: Coins) -> str:
    """The amount as a plain decimal: an integer, or with as many decimals as it needs."""
    if amount.denominator == 1:
        return str(amount.numerator)
    decimals = next(digits for digits in count(1) if 10**digits % amount.denominator == 0)
    whole, part = divmod(abs(amount.numerator) * 10**decimals // amount.denominator, 10**decimals)
    return f"{'-' if amount < 0 else ''}{whole}.{part:0{decimals}d}"


def read_coins(text: str) -> Coins:
    """The amount in a plain decimal. Raises ValueError if the text is none."""
    if _PLAIN.fullmatch(text) is None:
        raise ValueError("not a plain decimal")
    return _plainest(Fraction(text)) if "." in text else int(text)


def exact_coins(amount: Decimal) -> Coins:
    """The amount that a decimal is."""
    return read_coins(f"{amount:f}")


def _plainest(amount: Fraction) -> Coins:
    return amount.numerator if amount.denominator == 1 else amount
