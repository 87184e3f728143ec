"""SubscriptionFlow's prices: what a quantity costs, exactly, in minor units, and for how long it is charged.

Prices and quantities by tiers are texts that anyone may send: what is no number counts as none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from mock_server import money
from mock_server.durations import Duration

MOST = Decimal(10) ** 12
"""Beyond it, a number is no price and no quantity."""
_NONE = Decimal(0)
_MONTHS = {1: 1, 2: 3, 3: 6, 4: 12}


def number(value: Any) -> Decimal | None:
    """A price or quantity as it was sent; None where it is no number, negative, or beyond all bounds."""
    if value is None or isinstance(value, bool):
        return None
    try:
        found = value if isinstance(value, Decimal) else Decimal(str(value))
        return found if found.is_finite() and 0 <= found <= MOST else None
    except InvalidOperation:
        return None


def listed(prices: Mapping[str, Any] | None, currency: str | None) -> Decimal | None:
    """A price by currency: in this one, else in the first there is."""
    if not prices:
        return None
    return number(prices[currency] if currency is not None and currency in prices else next(iter(prices.values())))


def period(price: Mapping[str, Any]) -> Duration | None:
    """The billing period of a price; None where it states none."""
    kind, count = price.get("billing_period_id"), price.get("billing_period_months_weeks") or 1
    if kind in _MONTHS:
        return Duration(months=_MONTHS[kind])
    return Duration(months=count) if kind == 5 else Duration(days=7 * count) if kind == 6 else None


def cost(
    unit: Decimal | None,
    quantity: Decimal | None,
    price: Mapping[str, Any] | None,
    model: str | None,
    currency: str | None,
) -> int:
    """What a quantity costs at a price of one, in minor units, rounded once: by tiers where the price of the plan is tiered or by volume.

    Of what is charged by use, the units that the price includes are free.
    """
    counted = _NONE if quantity is None else quantity
    if price is not None and price.get("category") == "usage":
        counted = max(counted - (number(price.get("included_units")) or _NONE), _NONE)
    tiers = (price or {}).get("tiered_pricing") or ()
    if model in ("tiered", "volume") and tiers:
        total = _tiered(tiers, counted, currency) if model == "tiered" else _by_volume(tiers, counted, currency)
    else:
        total = (unit or _NONE) * counted
    return money.minor(total, currency)


def _tiered(tiers: Sequence[Mapping[str, Any]], quantity: Decimal, currency: str | None) -> Decimal:
    """Each part of the quantity at the price of its own tier."""
    total = below = _NONE
    for tier in tiers:
        if quantity <= below:
            break
        up_to = number(tier.get("qty_to"))
        here = quantity if up_to is None else min(quantity, up_to)
        total += _of_tier(tier, max(here - below, _NONE), currency)
        below = max(below, here)
    return total


def _by_volume(tiers: Sequence[Mapping[str, Any]], quantity: Decimal, currency: str | None) -> Decimal:
    """The whole quantity at the price of the tier that it reaches."""
    for tier in tiers:
        up_to = number(tier.get("qty_to"))
        if up_to is None or quantity <= up_to:
            return _of_tier(tier, quantity, currency)
    return _of_tier(tiers[-1], quantity, currency)


def _of_tier(tier: Mapping[str, Any], quantity: Decimal, currency: str | None) -> Decimal:
    price = listed(tier.get("list_price"), currency) or _NONE
    if tier.get("fee_type") == "flat_fee":
        return price if quantity else _NONE
    return price * quantity
