"""Reference text generated from fleet's own code, and the Sphinx extension of the site.

A page holds generated text between two comments, `<!-- generated: NAME -->` and
`<!-- /generated: NAME -->`. `PYTHONPATH=docs python -m fleet_docs` writes it anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sphinx.application import Sphinx

from fleet_docs import api, commands, containerd, files, messages, output

GENERATORS: Mapping[str, Callable[[], str]] = {
    "api-names": api.names,
    "commands": commands.page,
    "containerd-features": containerd.features,
    "deadlines": containerd.deadlines,
    "exit-codes": output.exit_codes,
    "inventory-keys": files.inventory_keys,
    "json": output.documents,
    "messages": messages.page,
    "mirrors-keys": files.mirrors_keys,
    "node-states": output.node_states,
    "node-statuses": output.node_statuses,
}

_GENERATED = re.compile(
    r"^<!-- generated: ([\w-]+) -->$.*?^<!-- /generated: \1 -->$", re.MULTILINE | re.DOTALL
)
_API, _TOCTREE = "<!-- site: api -->", "<!-- site: toctree -->"
_PAGE_LINK = re.compile(r"\]\((?!\w+:)([^)#]+)\.md\)")


def updated(text: str) -> str:
    """Return a page with its generated parts as the code is now."""

    def part(old: re.Match[str]) -> str:
        name = old[1]
        body = GENERATORS[name]()
        return f"<!-- generated: {name} -->\n\n{body}\n\n<!-- /generated: {name} -->"

    return _GENERATED.sub(part, text)


def fill(app: Sphinx, page: str, source: list[str]) -> None:
    """Add what only the site shows: the Python API, and the navigation by a page's links."""
    del app, page
    links = dict.fromkeys(_PAGE_LINK.findall(source[0]))
    toctree = "\n".join(["```{toctree}", ":hidden:", "", *links, "```"])
    source[0] = source[0].replace(_API, api.page()).replace(_TOCTREE, toctree)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the extension; a page is read again in every build, as the code may have changed."""
    app.connect("source-read", fill)
    app.connect("env-get-outdated", lambda app, env, *_: list(env.found_docs))
    return {"parallel_read_safe": True}
