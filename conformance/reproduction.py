"""Sends the recorded calls of a finding again, and says whether what came back is as wrong as it was.

This module stands alone: a reproducer is a copy of its text, with the calls of one finding, and runs with httpx and pytest and nothing else.
"""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

_SAMPLE = "Sample-mockingbill-1"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?$")
_NAME = re.compile(r"\$[A-Z][A-Z0-9_]*")


def send(steps: list[dict[str, Any]], base_url: str, marks: list[str]) -> list[tuple[int, str, str]]:
    """Send the calls one after another, those together that were together; status, media type and body of each answer.

    `marks` are names that belong to the recorded run; each is made new, so that unique values are unique again. What an answer minted
    then, and a later call used, is replaced by what is minted now.
    """
    learned = {mark: mark[:-6] + secrets.token_hex(3) for mark in marks}
    answers: list[tuple[int, str, str]] = []
    with httpx.Client(timeout=30, trust_env=False) as http:
        while len(answers) < len(steps):
            group = _together(steps, len(answers))
            if answers and group[0]["offset"] - steps[len(answers) - 1]["offset"] > 0.5:
                time.sleep(min(group[0]["offset"] - steps[len(answers) - 1]["offset"], 5.0))
            requests = [_request(http, step, base_url, learned) for step in group]
            with ThreadPoolExecutor(len(requests)) as pool:
                replies = list(pool.map(http.send, requests))
            for step, reply in zip(group, replies, strict=True):
                answers.append((reply.status_code, reply.headers.get("content-type", ""), reply.text))
                _learn(_parsed(step["answer"]), _parsed(reply.text), learned)
    return answers


def recurs(
    steps: list[dict[str, Any]], answers: list[tuple[int, str, str]], due: tuple[int, ...], about: str
) -> tuple[bool, str]:
    """Whether it is as wrong as it was, and why: by the status that was due, else by all answers being alike to those recorded.

    `about` is what the finding says; moments count only where it names their field.
    """
    for number, (step, (status, _, text)) in enumerate(zip(steps, answers, strict=True), start=1):
        was_fine, is_fine = 200 <= step["status"] < 300, 200 <= status < 300
        if due and was_fine and not is_fine and not _overlap(step, steps[-1]):
            raise LookupError(
                f"it cannot be sent again: step {number} was answered {step['status']}, now {status} {text[:200]}"
            )
    status, _, text = answers[-1]
    if due:
        said = " or ".join(map(str, due))
        return status not in due, f"expected {said}, got {status}: {text[:300]}"
    for number, (step, (status, media, _)) in enumerate(zip(steps, answers, strict=True), start=1):
        if status != step["status"] or media.partition(";")[0] != _media(step).partition(";")[0]:
            return False, f"step {number} is answered {status} {media}, not {step['status']} any more"
    same: dict[str, str] = {}
    for number, (step, (_, _, text)) in enumerate(zip(steps, answers, strict=True), start=1):
        if place := _difference(_parsed(step["answer"]), _parsed(text), "", same, about):
            return False, f"step {number} is answered differently at {place}"
    return True, "every answer is as it was"


def _overlap(step: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two calls were under way at the same time."""
    return bool(
        step["offset"] + step["seconds"] > other["offset"] + 0.001
        and other["offset"] + other["seconds"] > step["offset"] + 0.001
    )


def _together(steps: list[dict[str, Any]], first: int) -> list[dict[str, Any]]:
    group = [steps[first]]
    for step in steps[first + 1 :]:
        if not _overlap(group[0], step):
            break
        group.append(step)
    return group


def _request(http: httpx.Client, step: dict[str, Any], base_url: str, learned: dict[str, str]) -> httpx.Request:
    headers = {name: _filled(value, learned) for name, value in step["headers"].items()}
    headers = {name: value for name, value in headers.items() if name.lower() not in ("content-length", "host")}
    body = step["body"]
    content = base64.b64decode(body) if step["binary"] else None if body is None else _filled(body, learned).encode()
    base = re.sub(r"(://[^/]+).*", r"\1", base_url) if step["beside"] else base_url.rstrip("/")
    url = base + _filled(step["path"], learned)
    return http.build_request(step["method"], url, headers=headers, content=content)


def _filled(text: str, learned: dict[str, str]) -> str:
    """A recorded text with the values of now, and with the secrets that the environment holds."""
    for old in sorted(learned, key=len, reverse=True):
        alone = (r"(?<![A-Za-z0-9])", r"(?![0-9])") if len(old) > 3 else (r"(?<=[/=])", r"(?=[/?&]|$)")
        text = re.sub(alone[0] + re.escape(old) + alone[1], learned[old].replace("\\", r"\\"), text)
    return _NAME.sub(lambda found: _secret(found[0]), text)


def _secret(name: str) -> str:
    held = os.environ.get(name[1:])
    if held is None and name.startswith("$HIDDEN"):
        return _SAMPLE
    if held is None and re.match(r"\$(TOKEN|EXPIRED|REVOKED|X_|[A-Z_]*(KEY|AUTH))", name):
        raise LookupError(
            f"the environment variable {name[1:]} is not set: the credential that this call was made with"
        )
    return name if held is None else held


def _learn(old: Any, new: Any, learned: dict[str, str], name: str = "") -> None:
    """Take in which minted value stands now where another stood then."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in old.keys() & new.keys():
            _learn(old[key], new[key], learned, key)
    elif isinstance(old, list) and isinstance(new, list):
        for one, other in zip(old, new, strict=False):
            _learn(one, other, learned, name)
    elif old != new and _is_minted(old, new, name):
        learned.setdefault(str(old), str(new))


def _difference(old: Any, new: Any, place: str, same: dict[str, str], about: str) -> str:
    """Where two answers differ in more than what is new each time; empty where they are alike."""
    if type(old) is not type(new):
        return place or "/"
    if isinstance(old, dict):
        if old.keys() != new.keys():
            return f"{place}/{sorted(old.keys() ^ new.keys())[0]}"
        found = (_difference(old[name], new[name], f"{place}/{name}", same, about) for name in old)
        return next(filter(None, found), "")
    if isinstance(old, list):
        if len(old) != len(new):
            return place or "/"
        found = (_difference(*pair, f"{place}/{n}", same, about) for n, pair in enumerate(zip(old, new, strict=True)))
        return next(filter(None, found), "")
    if isinstance(old, str) and _MOMENT.match(old) and _MOMENT.match(new):
        name = place.rpartition("/")[2]
        if name not in about:
            return ""
        old, new = f"{name} {old}", f"{name} {new}"
    if old == new and not isinstance(old, str):
        return ""
    if not isinstance(old, str | int) or isinstance(old, bool):
        return place or "/"
    known = same.setdefault(str(old), str(new))
    alike = known == str(new) and (old == new or _is_minted(old, new, place.rpartition("/")[2]))
    return "" if alike else place or "/"


def _is_minted(old: Any, new: Any, name: str) -> bool:
    """Whether two values differ as two of one series do: another number, another id, not another word or another sum."""
    if isinstance(old, int) and isinstance(new, int) and not isinstance(old, bool):
        return name.lower() == "id" or name.endswith(("_id", "Id"))
    if not isinstance(old, str) or not isinstance(new, str):
        return False
    longer = len(old) == len(new) and len(old) > 9 and " " not in old and any(map(str.isdigit, old))
    return longer or (old != new and re.sub(r"[0-9]+", "#", old) == re.sub(r"[0-9]+", "#", new))


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _media(step: dict[str, Any]) -> str:
    found = (value for name, value in step["answered"].items() if name.lower() == "content-type")
    return str(next(found, ""))
