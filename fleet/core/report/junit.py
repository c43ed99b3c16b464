"""A report as JUnit XML: one test case for each node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from fleet.core.plan.pull_tests import unproven_text
from fleet.errors import printable

_BAD = {"rolled_back", "failed", "unreachable", "stale", "degraded"}


def junit(report: Mapping[str, Any]) -> str:
    """Return the document; pending nodes are skipped test cases."""
    nodes: Mapping[str, Mapping[str, Any]] = report["nodes"]
    suite = ElementTree.Element(
        "testsuite",
        name=f"fleet {report['kind']} {report['rollout']}",
        timestamp=str(report["started"]),
        tests=str(len(nodes)),
        failures=str(sum(each["status"] in _BAD for each in nodes.values())),
        skipped=str(sum(each["status"] == "pending" for each in nodes.values())),
        time=str(report["seconds"] or 0),
    )
    for name, each in nodes.items():
        about = {"name": name, "classname": f"fleet.{report['kind']}"}
        case = ElementTree.SubElement(suite, "testcase", about, time=str(each.get("seconds") or 0))
        failure = each.get("failure")
        if each["status"] in _BAD:
            told = failure or {"kind": each["status"], "message": each["status"]}
            bad = ElementTree.SubElement(
                case, "failure", type=str(told["kind"]), message=printable(str(told["message"]))
            )
            bad.text = printable(str(told.get("evidence", "")))
        elif each["status"] == "pending":
            ElementTree.SubElement(case, "skipped", message="never started")
        if silent := unproven_text({name: each.get("unproven", ())}):
            ElementTree.SubElement(case, "system-out").text = printable(silent)
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"
