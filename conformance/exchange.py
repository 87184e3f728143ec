"""A call and its answer as they stand in reports: whole, but with every secret behind a name."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, quote_plus

from conformance.wire import curl

_MOST = 40_000
"""How many characters of a body are kept."""
_NAMES = ("password", "passwd", "passphrase", "secret", "access_token", "refresh_token", "id_token", "api_key")
_CREDENTIAL_HEADERS = re.compile(r"key|token|secret|auth|password|cookie|session|signature", re.I)


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was sent and what came back, as it was. `began` is in seconds since 1970, `seconds` how long the answer took.

    `control` calls are about the target's clock or its sink, not about its API.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes | None
    status: int
    answered: Mapping[str, str]
    answer: bytes
    began: float = 0.0
    seconds: float = 0.0
    control: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One exchange of a finding, without secrets. `body` is base64 where `binary`, for it is no UTF-8."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: str | None
    binary: bool
    status: int
    answered: Mapping[str, str]
    answer: str
    began: str
    offset: float
    seconds: float
    curl: str


@dataclass
class Mask:
    """Puts a name in the place of each secret: the known ones (tokens), and what stands under a name such as `password`.

    The same secret gets the same name everywhere, so that it still shows where one comes back.
    """

    known: Mapping[str, str] = field(default_factory=dict)
    names: frozenset[str] = frozenset(_NAMES)
    learned: dict[str, str] = field(default_factory=dict)

    def text(self, text: str) -> str:
        """The text without its secrets."""
        for secret, name in sorted(self.known.items(), key=lambda pair: -len(pair[0])):
            for form in dict.fromkeys((secret, quote(secret, safe=""), quote_plus(secret))):
                text = text.replace(form, name)
        text = self._in_json.sub(lambda found: found[1] + self._name(found[2]) + found[3], text)
        text = self._in_form.sub(lambda found: found[1] + self._name(found[2]), text)
        for secret, name in self.learned.items():
            if len(secret) > 7 and not any(map(str.isspace, secret)):
                text = text.replace(secret, name)
        return text

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """The headers without their secrets."""
        hidden = {name: self.text(value) for name, value in headers.items()}
        return {
            name: self._name(value) if name.lower() in ("cookie", "set-cookie") and "$" not in value else value
            for name, value in hidden.items()
        }

    def plain(self, value: Any) -> Any:
        """Plain data without its secrets."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {name: self.plain(item) for name, item in value.items()}
        return [self.plain(item) for item in value] if isinstance(value, list | tuple) else value

    def steps(self, exchanges: Iterable[Exchange]) -> tuple[Step, ...]:
        """Exchanges as a report shows them."""
        exchanges = list(exchanges)
        first = min((exchange.began for exchange in exchanges), default=0.0)
        return tuple(self._step(exchange, first) for exchange in exchanges)

    def _step(self, exchange: Exchange, first: float) -> Step:
        url, headers = self.text(exchange.url), self.headers(exchange.headers)
        body, binary = self._body(exchange.content)
        names = {name: name for name in (*self.known.values(), *self.learned.values())}
        shown = exchange.content if binary else None if body is None else body.encode("utf-8", "surrogatepass")
        return Step(
            exchange.method,
            url,
            headers,
            body,
            binary,
            exchange.status,
            self.headers(exchange.answered),
            self.text(exchange.answer.decode("utf-8", "replace"))[:_MOST],
            datetime.fromtimestamp(exchange.began, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            round(exchange.began - first, 5),
            round(exchange.seconds, 5),
            curl(exchange.method, url, headers, shown, names),
        )

    def _body(self, content: bytes | None) -> tuple[str | None, bool]:
        if content is None:
            return None, False
        try:
            return self.text(content.decode("utf-8")), False
        except UnicodeDecodeError:
            return base64.b64encode(content).decode(), True

    def _name(self, secret: str) -> str:
        if not secret or secret.startswith("$"):
            return secret
        return self.learned.setdefault(secret, f"$HIDDEN{len(self.learned) + 1}")

    @property
    def _in_json(self) -> re.Pattern[str]:
        return re.compile(rf"""(["'](?:{self._any})["']\s*:\s*["'])((?:[^"'\\]|\\.)*)(["'])""")

    @property
    def _in_form(self) -> re.Pattern[str]:
        return re.compile(rf"((?:^|[?&\s])(?:{self._any})=)([^&\s'\"]+)")

    @property
    def _any(self) -> str:
        return "|".join(re.escape(name) for name in sorted(self.names))


def secret_names(document: Any) -> frozenset[str]:
    """The properties of a document whose values are not to be shown: what is a password, or is only ever written."""
    found = set(_NAMES)
    stack = [document]
    while stack:
        node = stack.pop()
        if isinstance(node, Mapping):
            properties = node.get("properties")
            for name, item in properties.items() if isinstance(properties, Mapping) else ():
                if isinstance(item, Mapping) and (item.get("format") == "password" or item.get("writeOnly") is True):
                    found.add(name)
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)
    return frozenset(found)


def is_credential(header: str) -> bool:
    """Whether a header of a caller's is likely to hold a secret."""
    return _CREDENTIAL_HEADERS.search(header) is not None
