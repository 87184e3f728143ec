"""The address of an implementation as somebody wrote it down: what makes sense as one, and how it is shown."""

from __future__ import annotations

import functools
import os
import ssl
from urllib.parse import urlsplit, urlunsplit

import httpx

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


def trusted() -> ssl.SSLContext:
    """Whose certificates are trusted: the usual ones, or those of the file that `SSL_CERT_FILE` names. Raises BadTarget."""
    file = os.environ.get("SSL_CERT_FILE", "")
    try:
        return ssl.create_default_context(cafile=file) if file else _usual()
    except OSError as error:
        raise BadTarget(f"SSL_CERT_FILE, {file}, holds no certificates: {error.strerror or error}") from None


@functools.cache
def _usual() -> ssl.SSLContext:
    """The usual certificates, read in once: that takes as long as fifty calls."""
    return httpx.create_ssl_context(trust_env=False)


def shown(target: str) -> str:
    """A target without what may be secret in a URL: a name, a password, a query, a fragment."""
    if not is_url(target):
        return target
    try:
        parts = urlsplit(target)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    except ValueError:
        return target.partition("://")[0] + "://…"
