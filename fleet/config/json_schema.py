"""JSON Schemas of the two files, for editors; `fleet check` checks more than they do."""

from __future__ import annotations

from typing import Any

from fleet.config.inventory.keys import KEYS
from fleet.config.mirrors.endpoint import CAPABILITIES

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


_TEXT: dict[str, Any] = {"type": "string"}


_CAPABILITIES = {"type": "array", "items": {"enum": list(CAPABILITIES)}}


_DURATION = {**_TEXT, "pattern": r"^([0-9]+(\.[0-9]+)?(h|m|s|ms|us|ns))+$"}


_FALLBACK = {
    "enum": ["allow", "never"],
    "description": "whether the registry itself is asked when every mirror fails",
}


_TEXTS = {"anyOf": [_TEXT, {"type": "array"}]}


_ENDPOINT = {
    "anyOf": [
        {**_TEXT, "pattern": "^https?://"},
        {
            "type": "object",
            "properties": {
                "url": {**_TEXT, "pattern": "^https?://"},
                "capabilities": _CAPABILITIES,
                "override_path": {"type": "boolean"},
                "skip_verify": {"type": "boolean"},
                "ca": _TEXTS,
                "client": _TEXTS,
                "header": {"type": "object"},
                "dial_timeout": _DURATION,
            },
            "required": ["url"],
            "additionalProperties": False,
        },
    ]
}


_REGISTRY = {
    "type": ["object", "null"],
    "properties": {
        "endpoints": {"type": "array", "items": _ENDPOINT, "minItems": 1},
        "endpoint": {"type": "array", "items": _ENDPOINT, "minItems": 1},
        "server": {**_TEXT, "pattern": "^https?://"},
        "fallback": _FALLBACK,
        "verify": {
            "anyOf": [_TEXT, {"type": "object", "properties": {"image": _TEXT}}],
            "description": "an image that every node pulls for proof after a change",
        },
        "capabilities": _CAPABILITIES,
        "rewrite": {"type": "object", "description": "k3s and RKE2 only"},
    },
    "additionalProperties": False,
}


_REGISTRIES = {"type": "object", "additionalProperties": _REGISTRY}


_HOST = {
    "type": "object",
    "properties": {
        "auth": {
            "type": "object",
            "properties": {
                name: {**_TEXT, "description": "env:NAME keeps it out of the file"}
                for name in ("username", "password", "auth", "identity_token")
            },
            "additionalProperties": False,
        },
        "tls": {
            "type": "object",
            "properties": {
                "ca_file": _TEXT,
                "cert_file": _TEXT,
                "key_file": _TEXT,
                "insecure_skip_verify": {"type": "boolean"},
            },
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
}


def inventory_schema() -> dict[str, Any]:
    """Return the schema of inventory.yaml; variables of other tools are allowed, as in the file."""
    node = {
        name: {**key.schema, "description": key.meaning}
        for key in KEYS.values()
        for name in (key.name, *key.aliases)
    }
    variables = {"type": ["object", "null"], "properties": node}
    return {
        "$schema": _DRAFT,
        "title": "fleet's inventory.yaml",
        "type": "object",
        "additionalProperties": {"$ref": "#/$defs/group"},
        "$defs": {
            "variables": variables,
            "group": {
                "type": ["object", "null"],
                "properties": {
                    "hosts": {
                        "type": ["object", "null"],
                        "description": "names or ranges such as w[1-40]",
                        "additionalProperties": {"$ref": "#/$defs/variables"},
                    },
                    "vars": {"$ref": "#/$defs/variables"},
                    "children": {
                        "type": ["object", "null"],
                        "additionalProperties": {"$ref": "#/$defs/group"},
                    },
                },
                "additionalProperties": False,
            },
        },
    }


def mirrors_schema() -> dict[str, Any]:
    """Return the schema of mirrors.yaml."""
    return {
        "$schema": _DRAFT,
        "title": "fleet's mirrors.yaml",
        "type": "object",
        "properties": {
            "version": {"const": 1},
            "defaults": {
                "type": "object",
                "properties": {
                    "capabilities": _CAPABILITIES,
                    "fallback": _FALLBACK,
                    "dial_timeout": _DURATION,
                },
                "additionalProperties": False,
            },
            "mirrors": {"$ref": "#/$defs/registries"},
            "configs": {"type": "object", "additionalProperties": _HOST},
            "overrides": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"match": _TEXT, "mirrors": {"$ref": "#/$defs/registries"}},
                    "required": ["match", "mirrors"],
                    "additionalProperties": False,
                },
            },
        },
        "additionalProperties": False,
        "$defs": {"registries": _REGISTRIES},
    }
