"""The reference of the Python API, for Sphinx's autodoc."""

from __future__ import annotations

import inspect

from fleet import api


def page() -> str:
    """Return a directive of autodoc for every public name, functions first."""
    names = sorted(api.__all__, key=lambda name: (inspect.isclass(getattr(api, name)), name))
    lines = [_directive(name) for name in names]
    return "```{eval-rst}\n" + "\n\n".join(lines) + "\n```"


def _directive(name: str) -> str:
    if inspect.isclass(getattr(api, name)):
        return f".. autoclass:: fleet.{name}\n   :members:\n   :undoc-members:"
    return f".. autofunction:: fleet.{name}"
