"""JSON Schemas of the two files, for editors; `fleet check` checks more than they do."""

from __future__ import annotations

from typing import Any

from fleet.config.inventory.keys import KEYS
from fleet.config.mirrors.endpoint import CAPABILITIES

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


_TEXT: dict[str, Any] = {"type": "string"}


_CAPABILITIES = {
    "type": "array",
    "items": {"enum": list(CAPABILITIES)},
    "description": "what the mirror may be asked for; `push` lets it take what nodes push",
}


_DIAL_TIMEOUT = {
    **_TEXT,
    "pattern": r"^([0-9]+(\.[0-9]+)?(h|m|s|ms|us|ns))+$",
    "description": "how long a connection may take, e.g. 3s; written for releases that know it",
}


_FALLBACK = {
    "enum": ["allow", "never"],
    "description": "whether the registry itself is asked when every mirror fails",
}


_TEXTS = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}


_URL = {**_TEXT, "pattern": "^https?://"}


_ENDPOINT = {
    "anyOf": [
        _URL,
        {
            "type": "object",
            "properties": {
                "url": {**_URL, "description": "the endpoint's URL"},
                "capabilities": _CAPABILITIES,
                "override_path": {
                    "type": "boolean",
                    "description": "the URL's path is the API's root: add no /v2",
                },
                "skip_verify": {
                    "type": "boolean",
                    "description": "accept any certificate",
                },
                "ca": {**_TEXTS, "description": "CA certificates, files beside this one"},
                "client": {
                    **_TEXTS,
                    "description": "client certificates, each with its key if that is another file",
                },
                "header": {"type": "object", "description": "HTTP headers of every request"},
                "dial_timeout": _DIAL_TIMEOUT,
            },
            "required": ["url"],
            "additionalProperties": False,
        },
    ]
}


_REGISTRY = {
    "type": ["object", "null"],
    "properties": {
        "endpoints": {
            "type": "array",
            "items": _ENDPOINT,
            "minItems": 1,
            "description": "the mirrors, in the order of preference",
        },
        "endpoint": {
            "type": ["array", "null"],
            "items": {"anyOf": [_TEXT, *_ENDPOINT["anyOf"]]},
            "description": "the mirrors by the rules of registries.yaml, in place of `endpoints`",
        },
        "server": {
            **_URL,
            "description": "the registry's own server; by default https:// and its name",
        },
        "fallback": _FALLBACK,
        "verify": {
            "anyOf": [
                _TEXT,
                {"type": "object", "properties": {"image": {**_TEXT, "description": "the image"}}},
            ],
            "description": "an image that every node pulls to verify a change",
        },
        "capabilities": _CAPABILITIES,
        "rewrite": {
            "type": ["object", "null"],
            "description": "rules for image names; k3s and RKE2 only",
        },
    },
    "additionalProperties": False,
}


_REGISTRIES = {
    "type": "object",
    "description": "the registries; `*` or `_default` is every registry that is not named",
    "additionalProperties": {**_REGISTRY, "title": "REGISTRY"},
}


_OPTIONAL = {"type": ["string", "null"]}


_LOGIN = {"type": ["string", "number", "boolean", "null"]}


_HOST = {
    "type": ["object", "null"],
    "properties": {
        "auth": {
            "type": ["object", "null"],
            "description": "the login of this host",
            "properties": {
                **{
                    name: {**_LOGIN, "description": "env:NAME reads it from a variable"}
                    for name in ("username", "password", "auth", "identity_token")
                },
                "token": {**_LOGIN, "description": "ignored, as k3s and RKE2 do not read it"},
            },
            "additionalProperties": False,
        },
        "tls": {
            "type": ["object", "null"],
            "description": "TLS settings; paths are relative to this file",
            "properties": {
                "ca_file": {**_OPTIONAL, "description": "the CA certificate"},
                "cert_file": {**_OPTIONAL, "description": "the client certificate"},
                "key_file": {**_OPTIONAL, "description": "the client's key"},
                "insecure_skip_verify": {
                    "type": ["boolean", "null"],
                    "description": "accept any certificate",
                },
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
            "version": {"const": 1, "description": "the version of this format"},
            "defaults": {
                "type": "object",
                "description": "values for all registries and endpoints",
                "properties": {
                    "capabilities": _CAPABILITIES,
                    "fallback": _FALLBACK,
                    "dial_timeout": _DIAL_TIMEOUT,
                },
                "additionalProperties": False,
            },
            "mirrors": {"$ref": "#/$defs/registries"},
            "configs": {
                "type": "object",
                "description": "TLS and logins by host; `*` is every host that is not named",
                "additionalProperties": {**_HOST, "title": "HOST"},
            },
            "overrides": {
                "type": "array",
                "description": "other registries or settings for some nodes; the last match counts",
                "items": {
                    "type": "object",
                    "properties": {
                        "match": {**_TEXT, "description": "a pattern of nodes, as --limit takes"},
                        "mirrors": {"$ref": "#/$defs/registries"},
                    },
                    "required": ["match", "mirrors"],
                    "additionalProperties": False,
                },
            },
        },
        "additionalProperties": False,
        "$defs": {"registries": _REGISTRIES},
    }
