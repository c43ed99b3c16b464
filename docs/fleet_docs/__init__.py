"""A Sphinx extension that fills pages with reference text generated from fleet's own code.

A page marks the place with a comment, for example `<!-- generated: commands -->`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from fleet_docs import api, commands, containerd, files, messages, output

GENERATORS: Mapping[str, Callable[[], str]] = {
    "api": api.page,
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

_MARK = re.compile(r"^<!-- generated: ([\w-]+) -->$", re.MULTILINE)


def fill(app: Sphinx, page: str, source: list[str]) -> None:
    """Replace every mark in the source of a page by generated Markdown."""
    del app

    def generated(mark: re.Match[str]) -> str:
        if mark[1] not in GENERATORS:
            raise ExtensionError(f"{page}: nothing generates {mark[1]!r}")
        return GENERATORS[mark[1]]()

    source[0] = _MARK.sub(generated, source[0])


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the extension; a page is read again in every build, as the code may have changed."""
    app.connect("source-read", fill)
    app.connect("env-get-outdated", lambda app, env, *_: list(env.found_docs))
    return {"parallel_read_safe": True}
