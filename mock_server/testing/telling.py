"""What a test called, for people: one call after the other with what was sent and answered, without secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.exchange import Mask, secret_names

if TYPE_CHECKING:
    from mock_server.testing.calls import Call
    from mock_server.testing.world import World

_TOKENS = frozenset(("token", "auth_token"))
LAST = 20
"""Calls that are told."""
_MOST = 400
"""Characters of a body that are told."""


def told(world: World) -> str:
    """The last calls of a world."""
    calls = world.calls
    engines = world.sandbox.root.engines
    masks = {
        name: Mask(
            {str(one.value["token"]): "$TOKEN" for one in engine.fixtures.of("Credential")},
            secret_names(engine.contract.document) | _TOKENS,
        )
        for name, engine in engines.items()
        if any(call.vendor == name for call in calls)
    }
    lines = [f"… {len(calls) - LAST} calls before these"] if len(calls) > LAST else []
    for call in calls[-LAST:]:
        lines += _lines(call, masks[call.vendor], f"/w/{world.name}/")
    return "\n".join(lines) or "none"


def _lines(call: Call, mask: Mask, above: str) -> list[str]:
    shown = str(call).replace(above, "/", 1)
    lines = [mask.text(f"{shown} {call.operation or '(no such operation)'}")]
    for mark, content in (("sent    ", call.sent[1]), ("answered", call.answered[1])):
        if content:
            text = mask.text(content.decode("utf-8", "replace"))
            lines.append(f"  {mark} {text[:_MOST]}{'…' if len(text) > _MOST else ''}")
    return lines
