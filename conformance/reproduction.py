"""Sends the recorded calls of a finding again, and says whether what came back is as wrong as it was.

This module stands alone: a reproducer is a copy of its text, with the calls of one finding, and runs with httpx and pytest and nothing else.
"""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

_TICK = 0.0001
_PAUSE = 0.09
"""A longer pause between two calls was made on purpose."""
_AGAIN = 5
_SAMPLE = "Sample-mockingbill-1"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?$")
_NAME = re.compile(r"\$[A-Z][A-Z0-9_]*")


def send(steps: list[dict[str, Any]], base_url: str, marks: list[str]) -> list[dict[str, Any]]:
    """Send the calls one after another, those together that were together; what was sent and the answer of each.

    `marks` are names that belong to the recorded run; each is made new, so that unique values are unique again. What an answer minted
    then, and a later call used, is replaced by what is minted now.
    """
    ends = {mark.lower(): secrets.token_hex(3) for mark in marks}  # what differed in case alone still does
    learned = {
        mark: mark[:-6] + (ends[mark.lower()].upper() if mark.isupper() else ends[mark.lower()]) for mark in marks
    }
    answers: list[dict[str, Any]] = []
    with httpx.Client(timeout=30, trust_env=False, verify=_trusted()) as http:
        while len(answers) < len(steps):
            group = _together(steps, len(answers))
            pause = group[0]["offset"] - max(step["offset"] + step["seconds"] for step in steps[: len(answers) or 1])
            if answers and pause > _PAUSE:
                time.sleep(min(pause, 5.0))
            requests = [_request(http, step, base_url, learned) for step in group]
            with ThreadPoolExecutor(len(requests)) as pool:
                replies = list(pool.map(lambda request: _sent(http, request), requests))
            for step, request, reply in zip(group, requests, replies, strict=True):
                answers.append(
                    {
                        "sent": request.content.decode("utf-8", "replace"),
                        "status": reply.status_code,
                        "answered": {name.lower(): value for name, value in reply.headers.items()},
                        "answer": reply.text,
                    }
                )
                _learn(_parsed(step["answer"]), _parsed(reply.text), learned)
    return answers


def _trusted() -> ssl.SSLContext | bool:
    file = os.environ.get("SSL_CERT_FILE", "")
    return ssl.create_default_context(cafile=file) if file else True


def _sent(http: httpx.Client, request: httpx.Request) -> httpx.Response:
    """The answer to a call; one that is put off, for there were too many, is sent again when it may be."""
    for _ in range(_AGAIN):
        reply = http.send(request)
        wait = reply.headers.get("retry-after", "")
        if reply.status_code != 429 or not wait.isdigit() or int(wait) > 60:
            return reply
        time.sleep(int(wait) + _PAUSE)
    return http.send(request)


def recurs(
    steps: list[dict[str, Any]], answers: list[dict[str, Any]], due: tuple[int, ...], about: str
) -> tuple[bool, str]:
    """Whether it is as wrong as it was, and why: by the status that was due, else by all answers being alike to those recorded.

    `about` is what the finding says; moments and headers count only where it names them. LookupError where nobody can tell.
    """
    now = answers[-1]
    if any(answer["status"] == 429 != step["status"] for step, answer in zip(steps, answers, strict=True)):
        raise LookupError("the target limits the rate of calls")
    if due:
        for number, (step, answer) in enumerate(zip(steps[:-1], answers[:-1], strict=True), start=1):
            if step["status"] // 100 == 2 != answer["status"] // 100:
                if answer["status"] in due:
                    return False, f"step {number} is answered {answer['status']}"
                raise LookupError(
                    f"step {number} was answered {step['status']}, now {answer['status']}: {answer['answer'][:200]}"
                )
        said = " or ".join(map(str, due))
        return now["status"] not in due, f"expected {said}, got {now['status']}: {now['answer'][:300]}"
    first = next(n for n in range(len(steps)) if n + len(_together(steps, n)) == len(steps))
    if first < len(steps) - 1:
        then, won = _winners(steps[first:]), _winners(answers[first:])
        return then == won, f"of the calls at once there was {won}"
    same: dict[str, str] = {}
    back: dict[str, str] = {}
    for number, (step, answer) in enumerate(zip(steps, answers, strict=True), start=1):
        header = _header(step, answer, about)
        if step["status"] != answer["status"] or header:
            shown = f" {answer['answered'].get(header, '')}" if header else ""
            return False, f"step {number} is answered {answer['status']}{shown}"
        _pairs(_parsed(step["body"] or ""), _parsed(answer["sent"]), same, back)
        if place := _difference(_parsed(step["answer"]), _parsed(answer["answer"]), "", (same, back), about):
            return False, f"step {number} is answered differently at {place}"
    return True, "every answer is as it was"


def _winners(answers: list[dict[str, Any]]) -> str:
    """How many calls succeeded, none, one or more, and whether their answers differ."""
    won = {answer["answer"] for answer in answers if answer["status"] // 100 == 2}
    count = sum(answer["status"] // 100 == 2 for answer in answers)
    return f"{'more than one' if count > 1 else count} that succeeded, {'different' if len(won) > 1 else 'the same'}"


def _header(step: dict[str, Any], answer: dict[str, Any], about: str) -> str:
    """The header that differs: the media type, or one that the finding is about."""
    old = {name.lower(): value for name, value in step["answered"].items()}
    for name in ("content-type", *sorted(old.keys() | answer["answered"].keys() | {"allow"})):
        one, other = (headers.get(name, "").partition(";")[0] for headers in (old, answer["answered"]))
        if one != other and (name == "content-type" or f"{name}:" in about.lower()):
            return str(name)
    return ""


def _pairs(old: Any, new: Any, same: dict[str, str], back: dict[str, str]) -> None:
    """Take in what was sent then and now: where it comes back it must be the same."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in old.keys() & new.keys():
            _pairs(old[name], new[name], same, back)
    elif isinstance(old, list) and isinstance(new, list):
        for one, other in zip(old, new, strict=False):
            _pairs(one, other, same, back)
    elif isinstance(old, str) and isinstance(new, str):
        same.setdefault(old, new)
        back.setdefault(new, old)


def _overlap(step: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two calls were under way at the same time."""
    return bool(
        step["offset"] + step["seconds"] > other["offset"] + _TICK
        and other["offset"] + other["seconds"] > step["offset"] + _TICK
    )


def _together(steps: list[dict[str, Any]], first: int) -> list[dict[str, Any]]:
    group = [steps[first]]
    for step in steps[first + 1 :]:
        if not any(_overlap(one, step) for one in group):
            break
        group.append(step)
    return group


def _request(http: httpx.Client, step: dict[str, Any], base_url: str, learned: dict[str, str]) -> httpx.Request:
    headers = {name: _filled(value, learned) for name, value in step["headers"].items()}
    headers = {name: value for name, value in headers.items() if name.lower() not in ("content-length", "host")}
    body = step["body"]
    content = (
        base64.b64decode(body)
        if step["binary"]
        else None
        if body is None
        else _filled(body, learned).encode("utf-8", "surrogatepass")
    )
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


def _difference(old: Any, new: Any, place: str, known: tuple[dict[str, str], dict[str, str]], about: str) -> str:
    """Where two answers differ in more than what is new each time; empty where they are alike."""
    here, name = place or "/", place.rpartition("/")[2]
    if type(old) is not type(new):
        return here
    if isinstance(old, dict):
        if old.keys() != new.keys():
            return f"{place}/{sorted(old.keys() ^ new.keys())[0]}"
        found = (_difference(old[key], new[key], f"{place}/{key}", known, about) for key in old)
        return next(filter(None, found), "")
    if isinstance(old, list):
        if len(old) != len(new):
            return here
        found = (_difference(*pair, f"{place}/{n}", known, about) for n, pair in enumerate(zip(old, new, strict=True)))
        return next(filter(None, found), "")
    if isinstance(old, str) and old in known[0]:
        return "" if known[0][old] == new or _NAME.fullmatch(old) else here
    if isinstance(old, str) and (
        _NAME.fullmatch(old) or (_MOMENT.match(old) and _MOMENT.match(new) and name not in about)
    ):
        return ""
    if not isinstance(old, str) and old == new:
        return ""
    if not isinstance(old, str | int) or isinstance(old, bool):
        return here
    keys = (f"{name} {old}", f"{name} {new}") if isinstance(old, str) and _MOMENT.match(old) else (str(old), str(new))
    alike = known[0].setdefault(keys[0], keys[1]) == keys[1] and known[1].setdefault(keys[1], keys[0]) == keys[0]
    return "" if alike and (old == new or _is_minted(old, new, name)) else here


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
    except (ValueError, RecursionError):
        return text
