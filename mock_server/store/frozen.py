"""JSON values that nobody can change by accident, so that records may be handed out without copying them.

Dicts and lists by type, so that validators, encoders and `==` take them as such; a copy of one (`{**record}`, `[*items]`, `copy`, `pickle`) is plain.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn


def _refuse(self: Any, *_: Any, **__: Any) -> NoReturn:
    raise TypeError("what is stored cannot be changed; store a changed copy")


class FrozenDict(dict[str, Any]):
    """An object. `fits` is for whoever validates it: the schema's validator that it last fitted, which holds for good."""

    __slots__ = ("fits",)
    fits: object
    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> Any:
        return dict, (dict(self),)


class FrozenList(list[Any]):
    """An array."""

    __slots__ = ()
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse

    def __reduce__(self) -> Any:
        return list, (list(self),)


_SCALARS = frozenset({str, int, float, bool, type(None), FrozenDict, FrozenList})
_has_only = _SCALARS.issuperset
_set = dict.__setitem__


def freeze(value: Any) -> Any:
    """The value, its objects and arrays copied into frozen ones; what is frozen already is taken as it is."""
    kind = type(value)
    if kind in _SCALARS:
        return value
    if kind is dict:
        return frozen(value)
    if kind is list:
        return FrozenList(value if _has_only(map(type, value)) else map(freeze, value))
    return frozen(value) if isinstance(value, Mapping) else value


def frozen(record: Mapping[str, Any]) -> FrozenDict:
    """The frozen copy of an object."""
    if type(record) is FrozenDict:
        return record
    copy = FrozenDict(record)
    if not _has_only(map(type, copy.values())):
        for name in [name for name, item in copy.items() if type(item) not in _SCALARS]:
            _set(copy, name, freeze(copy[name]))
    return copy
