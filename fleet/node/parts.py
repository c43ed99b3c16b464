"""The files from which each node-side script is assembled."""

from __future__ import annotations

PARTS = {
    "probe": ("common", "folders", "noting", "places", "configs", "roles", "sockets", "probe"),
    "stage": (
        *("common", "pass", "causes", "owned", "folders", "operations", "check", "movable"),
        "stage",
    ),
    "activate": (
        "common",
        "pass",
        "causes",
        "health",
        "owned",
        "liveness",
        "integrity",
        "replace",
        "generation",
        "restore",
        "arm",
        "operations",
        "check",
        "keep",
        "workloads",
        "swap",
        "activate",
    ),
    "settle": (
        *("common", "pass", "causes", "health", "owned", "folders", "liveness", "integrity"),
        *("replace", "generation", "restore", "arm", "compare", "settle"),
    ),
    "guard": (
        *("common", "pass", "causes", "health", "owned", "folders", "liveness", "integrity"),
        *("replace", "generation", "restore", "arm", "guard"),
    ),
    "verify": (
        "common",
        "clients",
        "evidence",
        "remains",
        "owned",
        "folders",
        "liveness",
        "dialogue",
        "verify",
    ),
    "mirrors": ("common", "mirrors"),
    "selftest": ("common", "clients", "owned", "folders", "liveness", "dialogue", "selftest"),
    "run": ("common", "run"),
    "relay": ("common", "relay"),
    "sudo": ("common", "sudo"),
}
"""The files of each script, by its name, in the order in which they are joined."""
