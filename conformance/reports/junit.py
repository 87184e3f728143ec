"""The record as JUnit XML, for CI systems: one suite for each vendor, one case for each promise and subject."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from conformance.reports.plain import coverage_rows, described, left_lines
from conformance.reports.record import Record

_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'


def text(told: Record) -> str:
    """The XML document."""
    root = ElementTree.Element("testsuites", name="mockingbill")
    for vendor, found in told["vendors"].items():
        _suite(root, vendor, found)
    return _HEAD + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suite(root: ElementTree.Element, vendor: str, found: Any) -> None:
    aside = [*found["known"], *found["apart"]]
    broken, doubts = found["findings"], [*found["doubts"], *found["stale"]]
    suite = ElementTree.SubElement(
        root,
        "testsuite",
        name=vendor,
        tests=str(len(broken) + len(aside) + len(found["not_tested"]) + len(found["kept"]) + len(doubts)),
        failures=str(len(broken)),
        skipped=str(len(aside) + len(found["not_tested"])),
        errors=str(len(doubts)),
    )
    properties = ElementTree.SubElement(suite, "properties")
    for row in coverage_rows(found["coverage"]):
        value = f"{row.reached} of {row.reachable}, index {row.index} %, score {row.score} %, {row.failed} failed"
        ElementTree.SubElement(properties, "property", name=f"coverage.{row.kind}", value=value)
    for finding in broken:
        case = _case(suite, vendor, finding)
        failure = ElementTree.SubElement(case, "failure", message=_message(finding))
        failure.text = _plain("\n".join(described(finding)))
    for finding in aside:
        why = f"known: {finding['reason']}" if "reason" in finding else "apart"
        ElementTree.SubElement(_case(suite, vendor, finding), "skipped", message=_plain(f"{why}; {_message(finding)}"))
    for item in found["not_tested"]:
        ElementTree.SubElement(
            _case(suite, vendor, item), "skipped", message=_plain(f"not tested: {item['reason'][:500]}")
        )
    for item in found["kept"]:
        _case(suite, vendor, item)
    for doubt in doubts:
        case = ElementTree.SubElement(suite, "testcase", classname=f"{vendor}.doubt", name=_plain(doubt[:200]))
        ElementTree.SubElement(case, "error", message=_plain(doubt))
    if lines := left_lines(found["left_behind"]):
        said = ElementTree.SubElement(suite, "system-out")
        said.text = _plain("\n".join(f"left behind {line}" for line in lines))


def _case(suite: ElementTree.Element, vendor: str, item: Any) -> ElementTree.Element:
    name = f"{item['promise']} {item['subject']}"
    return ElementTree.SubElement(suite, "testcase", classname=f"{vendor}.{item['layer']}", name=_plain(name))


def _message(finding: Any) -> str:
    return _plain(f"expected {finding['expected']}; observed {finding['observed']}"[:500])


def _plain(text: str) -> str:
    """The text without what XML cannot hold."""
    return "".join(
        sign
        if sign in "\t\n" or " " <= sign <= "\ud7ff" or "\ue000" <= sign <= "\ufffd" or sign > "\uffff"
        else "\ufffd"
        for sign in text
    )
