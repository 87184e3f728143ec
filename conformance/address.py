"""The address of an implementation as somebody wrote it down: what makes sense as one, and how it is shown."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from conformance.caller import BadTarget

_SCHEMES = ("http", "https")


def is_url(target: str) -> bool:
    """Whether a target is a URL, and no `module:factory`."""
    return "://" in target


def checked(url: str, what: str = "the target") -> str:
    """The URL, where calls can be sent below it. Raises BadTarget, and shows nothing that may be secret."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # it is read when it is asked for
        (parts.hostname or "").encode("idna")
    except ValueError as error:
        raise BadTarget(f"{what}, {shown(url)}, is no URL: {error}") from None
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise BadTarget(f"{what}, {shown(url)}, is no URL such as https://sandbox.example.com/api")
    if "@" in parts.netloc:
        raise BadTarget(
            f"{what}, {shown(url)}, has a name or a password in it: credentials are headers or a token, in a target file"
        )
    if parts.query or parts.fragment:
        raise BadTarget(
            f"{what}, {shown(url)}, has a query or a fragment: calls are sent below it, so it is a path alone"
        )
    return url


def shown(target: str) -> str:
    """A target without what may be secret in a URL: a name, a password, a query, a fragment."""
    if not is_url(target):
        return target
    try:
        parts = urlsplit(target)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    except ValueError:
        return target.partition("://")[0] + "://…"
