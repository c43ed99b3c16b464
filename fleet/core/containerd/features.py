"""The features of each containerd release, in one table with a source for every row."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import NamedTuple

from fleet.core.model.version import ContainerdVersion, Release

OLDEST: Release = (1, 2, 0)


NEWEST: Release = (2, 3, 0)
"""The newest series in this table, which covers 1.2 to 2.3; newer releases are treated like it."""


_END: Release = (999, 0, 0)


class Span(NamedTuple):
    """Releases from `since` up to, and not including, `until`."""

    since: Release
    until: Release = _END


@dataclass(frozen=True, slots=True)
class Row:
    """A fact about some releases, its source, and whether it was tried on a daemon."""

    spans: tuple[Span, ...]
    fact: str
    source: str
    seen: bool = True


_BEFORE_2 = Span((0, 0, 0), (2, 0, 0))


_SINCE_2 = Span((2, 0, 0))


class Feature(Enum):
    """Every difference between releases on which a decision of fleet depends."""

    CONFIG_VERSION_2 = Row(
        (Span((1, 3, 0)),),
        "config.toml may say version = 2, and plugins carry their full URI",
        "services/server/config/config.go, v1.3.0",
        seen=False,
    )
    CONFIG_VERSION_3 = Row(
        (_SINCE_2,),
        "config.toml may say version = 3; CRI's images have a plugin of their own",
        "cmd/containerd/server/config/config.go, v2.0.0",
    )
    CONFIG_VERSION_4 = Row(
        (Span((2, 3, 0)),),
        "config.toml may say version = 4",
        "cmd/containerd/server/config/config.go, v2.3.0",
    )
    STRICT_CONFIG_VERSION = Row(
        (Span((1, 6, 32), (1, 7, 0)), Span((1, 7, 17))),
        "a config version that is too new is refused; releases before took it for version 2",
        "services/server/config/config.go, v1.6.32 and v1.7.17",
    )
    VERSIONLESS_CRI = Row(
        (_BEFORE_2, Span((2, 3, 0))),
        "the CRI section of a file without version, or of version 1, is read",
        "daemons 1.4 to 2.3; 2.0 to 2.2 drop it with a warning",
    )
    STRICT_PLUGIN_NAMES = Row(
        (Span((1, 3, 0), (2, 0, 0)),),
        "a plugin's table of version 2 must be named by its full URI; 2.x passes over others",
        "`config dump` of 1.4.13 to 2.3.4",
    )
    URI_IN_VERSIONLESS = Row(
        (Span((2, 3, 0)),),
        "a full plugin URI in a file without version is read",
        "daemons 1.4 to 2.3",
    )
    DOTTED_KEYS = Row(
        (Span((1, 5, 0)),),
        "a key may be dotted; the TOML parser of releases before refuses the file",
        "`config dump` of 1.4.13 and 1.5.18",
    )
    ANY_BYTES = Row(
        (_BEFORE_2,),
        "a TOML file may hold bytes that are not UTF-8; the parser of 2.x refuses it",
        "`config dump` of 1.4.13 to 2.3.4",
    )
    BYTE_ORDER_MARK = Row(
        (Span((1, 5, 0), (2, 0, 0)),),
        "a TOML file may begin with a byte-order mark; the parsers of 1.4 and 2.x refuse it",
        "`config dump` of 1.4.13 to 2.3.4",
    )
    KEYS_IN_ANY_CASE = Row(
        (_SINCE_2,),
        "keys of hosts.toml are read in any case; releases before take them in capitals at most",
        "pulls by daemons 1.5.18 to 2.3.4",
    )
    STRICT_URLS = Row(
        (Span((2, 3, 0)),),
        "a URL in hosts.toml with a colon in its host name, outside of brackets, is refused",
        "pulls by daemons 1.5.18 to 2.3.4; go.mod of v2.3.4 asks for Go 1.26",
    )
    BRACKETS_IN_HEADERS = Row(
        (Span((0, 0, 0), (1, 5, 0)), _SINCE_2),
        "a table's name may hold a ], as URLs with IPv6 do; the parser of 1.5 to 1.7 refuses it",
        "`config dump` of 1.4.13 to 2.3.4, daemons 1.6.20 and 1.7.24",
    )
    LEGACY_ALONE = Row(
        (Span((0, 0, 0), (2, 2, 0)), Span((2, 2, 2))),
        "registry.mirrors may stand alone; 2.2.0 and 2.2.1 lose CRI over their default config_path",
        "daemon 2.2.1; plugins/cri/images/plugin.go, v2.2.2",
    )
    LEGACY_TLS = Row(
        (Span((1, 3, 0), (2, 0, 0)),),
        "registry.configs.*.tls is read; 2.x ignores it with a warning",
        "daemons 1.4 to 2.3; cri pkg/config/config.go",
    )
    CONFIG_PATH = Row(
        (Span((1, 5, 0)),),
        "registry.config_path is read, and CRI refuses mirrors beside it",
        "pkg/cri/config/config.go, v1.5.0",
    )
    CONFIG_PATH_LIST = Row(
        (Span((1, 5, 0), (2, 1, 0)),),
        "config_path may name several directories; 2.1 takes them for a single name",
        "daemons 1.5 to 2.3; containerd issue 12808",
    )
    CONFIG_PATH_DEFAULT = Row(
        (Span((2, 2, 0)),),
        "an unset config_path becomes two directories, of which none is read",
        "daemons 2.2.1, 2.2.7 and 2.3.4; plugins/cri/images/plugin.go",
    )
    OVERRIDE_PATH = Row(
        (Span((1, 6, 0)),),
        "hosts.toml knows override_path; 1.5 appends /v2 all the same",
        "remotes/docker/config/hosts.go, v1.6.0",
    )
    DEFAULT_HOSTS = Row(
        (Span((1, 6, 17)),),
        "the folder _default serves registries that have no folder",
        "remotes/docker/config/config_unix.go, v1.6.17",
    )
    DIAL_TIMEOUT = Row(
        (Span((2, 0, 7)),),
        "hosts.toml knows dial_timeout",
        "core/remotes/docker/config/hosts.go, v2.0.7 and v2.1.0",
    )
    DIAL_TIMEOUT_IS_TLS = Row(
        (Span((2, 0, 7), (2, 1, 0)),),
        "dial_timeout counts as a TLS setting, so an http host is tried over https first",
        "daemon 2.0.11",
    )
    DOCKER_IO_PRESET = Row(
        (Span((0, 0, 0), (1, 5, 0)),),
        'docker.io has mirrors of its own by default (itself), so "*" never serves it',
        "`config default` and daemon 1.4.13",
    )
    HEAD_403_AGAIN = Row(
        (Span((2, 3, 3)),),
        "a 403 to HEAD is asked once more as GET, as some mirrors forbid HEAD alone",
        "core/remotes/docker/resolver.go, v2.3.3",
        seen=False,
    )
    RESPONSE_TIMEOUT = Row(
        (Span((2, 3, 0)),),
        "a host that takes a request and never answers is given up after 30 s; others wait for it",
        "daemons 1.7.24 and 2.3",
    )
    REFERRERS = Row(
        (Span((2, 2, 0)),),
        "hosts.toml knows the capability referrers; releases before refuse the whole file",
        "core/remotes/docker/config/hosts.go, v2.2.0",
    )
    SERVER_ALONE = Row(
        (Span((1, 7, 32)),),
        "a hosts.toml with a server and no host table is read; releases before ignore the file",
        "remotes/docker/config/hosts.go, v1.7.32",
    )
    INLINE_HOSTS = Row(
        (Span((1, 5, 0), (2, 0, 0)),),
        "hosts.toml may write its hosts inline or dotted; 2.x reads table headers alone",
        "daemons 1.5 to 2.3",
    )
    HTTP_WITH_TLS = Row(
        (Span((0, 0, 0), (1, 6, 32)), Span((1, 7, 0), (1, 7, 16))),
        "TLS keys beside http:// do nothing; later releases try https first",
        "remotes/docker/config/hosts.go, v1.6.32 and v1.7.16",
    )
    LOOPBACK_HTTP = Row(
        (Span((0, 0, 0), (1, 5, 0)), Span((1, 6, 9))),
        "a registry on 127.0.0.1 is asked in plain HTTP without any setting; 1.5 to 1.6.8 want TLS",
        "daemons 1.4 to 2.1; remotes/docker/config/hosts.go, v1.6.9",
    )
    IMPORTS = Row(
        (Span((1, 3, 0)),),
        "config.toml may import other files",
        "services/server/config/config.go, v1.3.0",
        seen=False,
    )
    IMPORTS_MERGE = Row(
        (_SINCE_2,),
        "an imported file is merged key by key; before, its plugin tables replace whole ones",
        "daemons 1.4 to 2.3",
    )
    MIGRATES_EACH_FILE = Row(
        (Span((2, 3, 0)),),
        "every file is migrated by its own version; 2.0 to 2.2 merge first and go by the last one",
        "cmd/containerd/server/config/config.go, v2.0.11, v2.2.1 and v2.3.4",
    )
    IMPORT_MUST_EXIST = Row(
        (Span((1, 5, 0)),),
        "a plain path in imports must exist; 1.4 passes over it",
        "daemons 1.4 to 2.3",
    )
    RELATIVE_GLOBS = Row(
        (Span((1, 6, 29), (1, 7, 0)), Span((1, 7, 16))),
        "a relative glob in imports starts at the file's own folder, not at the daemon's",
        "services/server/config/config.go, v1.6.29 and v1.7.16",
    )
    MIXED_IMPORT_VERSIONS = Row(
        (_BEFORE_2,),
        "an import may have another version than its root; 2.x drops the root's CRI or refuses",
        "daemons 2.0 to 2.3",
    )


def supports(version: ContainerdVersion, feature: Feature) -> bool:
    """Return whether a release has a feature."""
    release = version.release
    return any(span.since <= release < span.until for span in feature.value.spans)


@cache
def max_config_version(version: ContainerdVersion) -> int:
    """Return the newest config version that a release reads by its own rules."""
    if supports(version, Feature.CONFIG_VERSION_4):
        return 4
    if supports(version, Feature.CONFIG_VERSION_3):
        return 3
    return 2 if supports(version, Feature.CONFIG_VERSION_2) else 1


def first_release(feature: Feature) -> str:
    """Return the first release that has a feature, for messages."""
    return ".".join(str(number) for number in feature.value.spans[0].since).removesuffix(".0")
