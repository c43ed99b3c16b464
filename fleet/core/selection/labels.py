"""The names of groups that the labels of a cluster's nodes make."""

from __future__ import annotations

import re

LABEL = "label:"
"""Begins the name of a label's group: `label:pool=gpu`; `label:pool` is any value of it."""


WORD = r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"

"""The value of a label, if it is not empty."""


_DOMAIN = r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?"


LABEL_GROUP = re.compile(rf"{LABEL}(?:{_DOMAIN}/)?{WORD}(?:=(?:{WORD})?)?")
"""The names of all such groups: an API accepts no other labels."""
