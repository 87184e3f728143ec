"""What a run says in the end: to a terminal, as JSON, as JUnit."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from rich.console import Console
from rich.text import Text

CONFORMS, BREAKS, UNTOLD, STOPPED = 0, 1, 2, 130


@dataclass
class Result:
    """What came of one vendor: its outcomes as plain data, what stayed in doubt, and whether it was finished."""

    vendor: str
    base_url: str = ""
    planned: int = 0
    outcomes: list[Mapping[str, Any]] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    finished: bool = False

    @property
    def code(self) -> int:
        """0 conforms, 1 does not, 2 could not tell, 130 stopped by hand."""
        if any(outcome["status"] == "broken" for outcome in self.outcomes):
            return BREAKS
        return CONFORMS if self.finished and not self.doubts else UNTOLD

    def having(self, status: str) -> list[Mapping[str, Any]]:
        """The outcomes with a status."""
        return [outcome for outcome in self.outcomes if outcome["status"] == status]

    def findings(self, status: str = "broken") -> list[Mapping[str, Any]]:
        """The findings of the broken promises, or of those reported apart."""
        return [finding for outcome in self.having(status) for finding in outcome["findings"]]


_VERDICTS = {CONFORMS: "conforms", BREAKS: "does not conform", UNTOLD: "could not tell", STOPPED: "stopped"}


def show_finding(console: Console, vendor: str, finding: Mapping[str, Any]) -> None:
    """One finding, as soon as it is found."""
    style = "yellow" if finding["apart"] else "red"
    mark = "apart " if finding["apart"] else "broken"
    console.print(Text.assemble((f"{mark}  ", style), (f"{vendor} {finding['promise']} ", "bold"), finding["subject"]))
    lines = [
        finding["sentence"],
        f"stated    {finding['provenance']}, {finding['place']} {finding['pointer']}",
        f"expected  {finding['expected']}",
        f"observed  {finding['observed']}",
        *(f"request   {line}" for line in finding["requests"][-3:]),
        f"again     {finding['replay']}",
    ]
    for line in lines:
        console.print(Text(f"        {line}"), soft_wrap=True)


def summarise(console: Console, results: Sequence[Result], code: int) -> None:
    """What was tested, what was not and why, and the verdict."""
    for result in results:
        counted = Counter(outcome["status"] for outcome in result.outcomes)
        named = [
            f"{counted[status]} {status}" for status in ("kept", "broken", "apart", "not tested") if counted[status]
        ]
        verdict = _VERDICTS[result.code]
        colour = {CONFORMS: "green", BREAKS: "red"}.get(result.code, "yellow")
        console.print(
            Text.assemble((f"{result.vendor} ", "bold"), (verdict, colour), f": {', '.join(named) or 'nothing tested'}")
        )
        for outcome in result.having("not tested"):
            console.print(
                Text(f"  not tested  {outcome['promise']} {outcome['subject']}: {outcome['reason']}"), soft_wrap=True
            )
        for doubt in result.doubts:
            console.print(Text(f"  in doubt    {doubt}"), soft_wrap=True)
        if not result.finished:
            console.print(Text(f"  stopped after {len(result.outcomes)} of {result.planned or '?'}"))
    console.print(Text(f"exit {code}: {_VERDICTS[code]}"))


def write(folder: Path, results: Sequence[Result], settings: Mapping[str, Any], code: int) -> None:
    """`report.json` and `junit.xml` in a folder, which is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "code": code,
        "verdict": _VERDICTS[code],
        **settings,
        "vendors": {
            result.vendor: {
                "code": result.code,
                "verdict": _VERDICTS[result.code],
                "base_url": result.base_url,
                "finished": result.finished,
                "doubts": result.doubts,
                "findings": result.findings(),
                "apart": result.findings("apart"),
                "not_tested": [
                    {key: o[key] for key in ("layer", "promise", "subject", "reason")}
                    for o in result.having("not tested")
                ],
                "kept": [
                    {key: o[key] for key in ("layer", "promise", "subject", "calls")} for o in result.having("kept")
                ],
                "statuses": result.counts,
            }
            for result in results
        },
    }
    (folder / "report.json").write_text(
        json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8", errors="backslashreplace"
    )
    ElementTree.ElementTree(_junit(results)).write(folder / "junit.xml", encoding="utf-8", xml_declaration=True)


def _junit(results: Sequence[Result]) -> ElementTree.Element:
    root = ElementTree.Element("testsuites", name="mockingbill")
    for result in results:
        counted = Counter(outcome["status"] for outcome in result.outcomes)
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=result.vendor,
            tests=str(len(result.outcomes) + len(result.doubts)),
            failures=str(counted["broken"]),
            skipped=str(counted["not tested"] + counted["apart"]),
            errors=str(len(result.doubts)),
        )
        for outcome in result.outcomes:
            case = ElementTree.SubElement(
                suite,
                "testcase",
                classname=f"{result.vendor}.{outcome['layer']}",
                name=f"{outcome['promise']} {outcome['subject']}",
            )
            if outcome["status"] == "broken":
                failure = ElementTree.SubElement(case, "failure", message=_plain(outcome["reason"][:500]))
                failure.text = _plain(
                    "\n\n".join(json.dumps(finding, indent=1, ensure_ascii=False) for finding in outcome["findings"])
                )
            elif outcome["status"] in ("not tested", "apart"):
                ElementTree.SubElement(
                    case, "skipped", message=_plain(f"{outcome['status']}: {outcome['reason'][:500]}")
                )
        for doubt in result.doubts:
            case = ElementTree.SubElement(
                suite, "testcase", classname=f"{result.vendor}.doubt", name=_plain(doubt[:200])
            )
            ElementTree.SubElement(case, "error", message=_plain(doubt))
    return root


def _plain(text: str) -> str:
    """The text without what XML cannot hold."""
    return "".join(
        sign
        if sign in "\t\n" or " " <= sign <= "\ud7ff" or "\ue000" <= sign <= "\ufffd" or sign > "\uffff"
        else "\ufffd"
        for sign in text
    )
