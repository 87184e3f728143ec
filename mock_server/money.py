"""Money, exact: whole minor units of a currency inside, JSON numbers at the edge; never added or multiplied as floats.

Rounding is half up, away from zero, to the minor unit. A currency has two decimal digits but for those of ISO 4217 that have others.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from fractions import Fraction

_DIGITS = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}  # fmt: skip
_EXACT = 400
"""Digits of the arithmetic: a float has 309 before its point."""


def digits(currency: str | None) -> int:
    """How many decimal digits a currency has (ISO 4217); two where it is not known to have others."""
    return _DIGITS.get((currency or "").upper(), 2)


def minor(amount: float | str | Decimal, currency: str | None = None) -> int:
    """An amount in whole minor units: 19.99 is 1999 cents, 19.995 is 2000. Raises ValueError for what is no finite number."""
    try:
        exact = amount if isinstance(amount, Decimal) else Decimal(str(amount))
        with localcontext() as context:
            context.prec = _EXACT
            return int(exact.scaleb(digits(currency)).quantize(Decimal(1), ROUND_HALF_UP))
    except (InvalidOperation, OverflowError, ValueError) as error:
        raise ValueError(f"{amount} is no amount") from error


def major(amount: int, currency: str | None = None) -> int | float:
    """Minor units as the JSON number that a person reads: 1999 cents are 19.99, 2000 are 20."""
    places = digits(currency)
    whole, rest = divmod(amount, 10**places)
    return whole if not rest else float(Decimal(amount).scaleb(-places))


def times(amount: int, quantity: float | str | Decimal) -> int:
    """An amount taken so many times, rounded to the minor unit once; a quantity need not be whole."""
    if isinstance(quantity, int):
        return amount * quantity
    return _rounded(amount * Fraction(str(quantity)))


def prorated(amount: int, part: int, whole: int) -> int:
    """The share of an amount that a part of a period has, rounded to the minor unit: both parts of a split period add up to within one unit."""
    return _rounded(Fraction(amount * part, whole))


def percent(amount: int, rate: float | str | Decimal) -> int:
    """So many percent of an amount, rounded to the minor unit."""
    return _rounded(amount * Fraction(str(rate)) / 100)


def split(amount: int, weights: Sequence[int]) -> list[int]:
    """An amount shared out by weights (whole, not negative, not all 0), to the minor unit: the shares add up to it.

    What rounding down leaves goes to the largest remainders, the earlier one first.
    """
    total = sum(weights)
    sign, size = (-1 if amount < 0 else 1), abs(amount)
    shares = [size * weight // total for weight in weights]
    rest = size - sum(shares)
    by_remainder = sorted(range(len(weights)), key=lambda i: -(size * weights[i] % total))
    for i in by_remainder[:rest]:
        shares[i] += 1
    return [sign * share for share in shares]


def _rounded(exact: Fraction) -> int:
    """Half up, away from zero."""
    size = (2 * abs(exact.numerator) + exact.denominator) // (2 * exact.denominator)
    return -size if exact < 0 else size
