"""The reference of the Python API, for Sphinx's autodoc."""

from __future__ import annotations

import inspect

from fleet import api
from fleet_docs.markdown import code, table


def names() -> str:
    """Return the table of the public names with the first line of their documentation."""
    rows = [(code(f"fleet.{name}"), _summary(name)) for name in _names()]
    return table(("name", "what it is or does"), rows)


def _summary(name: str) -> str:
    return (inspect.getdoc(getattr(api, name)) or "").partition("\n")[0]


def _names() -> list[str]:
    """Return the public names, functions first."""
    return sorted(api.__all__, key=lambda name: (inspect.isclass(getattr(api, name)), name))


def page() -> str:
    """Return a directive of autodoc for every public name."""
    lines = [_directive(name) for name in _names()]
    return "```{eval-rst}\n" + "\n\n".join(lines) + "\n```"


def _directive(name: str) -> str:
    if inspect.isclass(getattr(api, name)):
        return f".. autoclass:: fleet.{name}\n   :members:\n   :undoc-members:"
    return f".. autofunction:: fleet.{name}"
