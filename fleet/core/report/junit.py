"""A report as JUnit XML: one test case for each node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree

from fleet.core.plan.pull_tests import unproven_text
from fleet.errors import printable

_BAD = {"rolled_back", "failed", "unreachable", "no_access", "stale", "degraded"}


def junit(report: Mapping[str, Any]) -> str:
    """Return the document; pending nodes are skipped test cases."""
    nodes: Mapping[str, Mapping[str, Any]] = report["nodes"]
    bad = {name for name, node in nodes.items() if node["status"] in _BAD or _is_flagged(node)}
    suite = ElementTree.Element(
        "testsuite",
        name=f"fleet {report['kind']} {report['rollout']}",
        timestamp=str(report["started"]),
        tests=str(len(nodes)),
        failures=str(len(bad)),
        skipped=str(sum(node["status"] == "pending" for node in nodes.values())),
        time=str(report["seconds"] or 0),
    )
    for name, node in nodes.items():
        about = {"name": name, "classname": f"fleet.{report['kind']}"}
        case = ElementTree.SubElement(suite, "testcase", about, time=str(node.get("seconds") or 0))
        failure = node.get("failure")
        if name in bad:
            reason = failure or {"kind": node["status"], "message": node["status"]}
            element = ElementTree.SubElement(
                case, "failure", type=str(reason["kind"]), message=printable(str(reason["message"]))
            )
            element.text = printable("\n".join(_details(reason)))
        elif node["status"] == "pending":
            ElementTree.SubElement(case, "skipped", message="never started")
        if unproven := unproven_text({name: node.get("unproven", ())}):
            ElementTree.SubElement(case, "system-out").text = printable(unproven)
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _is_flagged(node: Mapping[str, Any]) -> bool:
    """Return whether a gate found something wrong with a converged node."""
    return node["status"] == "converged" and bool(node.get("failure"))


def _details(failure: Mapping[str, Any]) -> Iterator[str]:
    """Yield the remedy of a failure and its evidence, as far as it has them."""
    if remedy := failure.get("remedy"):
        yield f"remedy: {remedy}"
    if evidence := failure.get("evidence"):
        yield str(evidence)
