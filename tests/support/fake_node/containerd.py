"""A scripted containerd: it reads the config and hosts files of its tree as its release does.

Broken TOML and unknown config versions keep the daemon from starting. `mirrors` beside
`config_path` keep its CRI plugin from loading. The daemon reads `config_path` when it starts, and
hosts.toml at every pull.
"""

from __future__ import annotations

import subprocess
import time
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fleet.core.containerd.merged_config import deep_merge
from tests.support.fake_node.commands import Answer
from tests.support.fake_node.namespace import Namespace
from tests.support.fake_node.recorded import Recorded
from tests.support.fake_node.toml_dump import dump_toml

CONFIG = "/etc/containerd/config.toml"
BINARY = "/usr/local/bin/containerd"
SOCKET = "/run/containerd/containerd.sock"
_CRI_1 = "io.containerd.grpc.v1.cri"
_IMAGES = "io.containerd.cri.v1.images"
_NO_DAEMON = (
    'failed to dial "/run/containerd/containerd.sock": context deadline exceeded: connection error:'
    ' desc = "transport: error while dialing: dial unix /run/containerd/containerd.sock: connect:'
    ' no such file or directory": unavailable\n'
)
_NO_CRI = "rpc error: code = Unimplemented desc = unknown service runtime.v1.{service}\n"
_CLOSED_PORT = (
    'failed to do request: Head "{url}/v2/{name}/manifests/{tag}?ns={host}": dial tcp 127.0.0.1:1:'
    " connect: connection refused"
)
_UNKNOWN_HOST = (
    'failed to do request: Head "https://{host}/v2/{name}/manifests/{tag}": dial tcp: lookup'
    " {host}: no such host"
)


class ConfigError(Exception):
    """The reason why a release does not start with a config."""


@dataclass(slots=True)
class _Daemon:
    """A daemon that runs: its process, and the settings that it read when it started."""

    process: subprocess.Popen[bytes]
    pid: int
    started: float
    hosts_directories: tuple[str, ...]
    refused: str


class Containerd:
    """The daemon of a fake node and its clients, by the answers recorded from one real release."""

    def __init__(self, namespace: Namespace, recorded: Recorded) -> None:
        self._namespace = namespace
        self._recorded = recorded
        self._daemon: _Daemon | None = None
        self.log: list[str] = []

    # -- the daemon --------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        """Return the daemon's process id inside; 0 if it does not run."""
        if self._daemon is not None and self._daemon.process.poll() is not None:
            self._daemon = None  # it was killed
        return self._daemon.pid if self._daemon else 0

    @property
    def started(self) -> float:
        """Return when the daemon that runs was started, by the clock of its machine."""
        return self._daemon.started if self._daemon else 0

    def start(self) -> str:
        """Start the daemon; return the error if it does not start, else an empty string."""
        try:
            registry = self._registry()
        except ConfigError as error:
            self.log.append(f"containerd: {error}")
            return str(error)
        # The process is `cat`, which runs until its input ends. It has the name of a daemon and no
        # arguments, since the probe reads both.
        words = ("bash", "-c", f"echo $$; exec -a {BINARY} cat")
        process = self._namespace.start(words, stdin=subprocess.PIPE)
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        refused = _refusal(registry) if self._recorded.reads_hosts else ""
        if refused:
            self.log.append(f'level=warning msg="failed to load plugin" error="{refused}"')
        folders = registry.get("config_path", "") if self._recorded.reads_hosts else ""
        directories = tuple(filter(None, folders.split(":")))
        self._daemon = _Daemon(
            process, pid, time.clock_gettime(time.CLOCK_MONOTONIC), directories, refused
        )
        return ""

    def stop(self) -> None:
        """Stop the daemon."""
        if self._daemon is not None:
            self._daemon.process.communicate()
            self._daemon = None

    def _registry(self) -> Mapping[str, Any]:
        plugins = self._merged(CONFIG)["plugins"]
        for name in (_IMAGES, _CRI_1):
            if name in plugins:
                registry: Mapping[str, Any] = plugins[name].get("registry", {})
                return registry
        return {}

    # -- its config --------------------------------------------------------------------------

    def _merged(self, config: str) -> dict[str, Any]:
        """Return the defaults merged with the files; raise a ConfigError if they are refused."""
        merged = dict(self._recorded.defaults)
        for data in self._files(config):
            newest = 2 if _CRI_1 in merged["plugins"] else 3
            if data.get("version", 1) > newest:
                raise ConfigError(f"unsupported config version `{data['version']}`")
            merged = deep_merge(merged, {**self._migrated(data), "version": merged["version"]})
        return merged

    def _files(self, config: str) -> Iterator[dict[str, Any]]:
        path = self._namespace.root / config.lstrip("/")
        if not path.exists():
            return
        try:
            data = tomllib.loads(path.read_text())
        except ValueError as error:
            raise ConfigError(f"failed to load TOML: {config}: {error}") from error
        yield data
        for pattern in data.get("imports", []):
            for imported in sorted(self._namespace.root.glob(pattern.lstrip("/"))):
                yield from self._files(f"/{imported.relative_to(self._namespace.root)}")

    def _migrated(self, data: dict[str, Any]) -> dict[str, Any]:
        """Move the registry settings of a version 2 file to the table that containerd 2.x uses."""
        plugins = dict(data.get("plugins", {}))
        if _IMAGES not in self._recorded.defaults["plugins"] or _CRI_1 not in plugins:
            return {**data, "plugins": plugins}
        cri = plugins.pop(_CRI_1)
        if "registry" in cri:
            plugins[_IMAGES] = {**plugins.get(_IMAGES, {}), "registry": cri["registry"]}
        return {**data, "plugins": plugins}

    # -- its commands ------------------------------------------------------------------------

    def command(self, arguments: list[str]) -> Answer:
        """Answer `containerd`."""
        config = CONFIG
        if arguments[:1] in (["-c"], ["--config"]):
            config, arguments = arguments[1], arguments[2:]
        match arguments:
            case ["--version"]:
                return Answer(
                    f"containerd github.com/containerd/containerd {self._recorded.version} -\n"
                )
            case ["config", "default"]:
                return Answer(dump_toml(self._recorded.defaults))
            case ["config", "dump"]:
                try:
                    return Answer(dump_toml(self._merged(config)))
                except ConfigError as error:
                    return Answer(stderr=f"containerd: {error}\n", code=1)
            case _:
                return _unknown("containerd", arguments)

    def ctr(self, arguments: list[str]) -> Answer:
        """Answer `ctr`."""
        words = _without_flags(
            arguments, ("-a", "--address", "-n", "--namespace", "--connect-timeout")
        )
        if not self.pid:
            return Answer(stderr=f"ctr: {_NO_DAEMON}", code=1)
        match words:
            case ["version"]:
                return Answer(self._recorded.ctr_version)
            case ["plugins", "ls", *_]:
                assert self._daemon is not None
                status = "error" if self._daemon.refused else "ok"
                row = f"{'io.containerd.grpc.v1':<32}{'cri':<10}{'linux/amd64':<15}{status}\n"
                return Answer(f"{'TYPE':<32}{'ID':<10}{'PLATFORMS':<15}STATUS\n{row}")
            case ["namespaces", "ls", "-q"]:
                return Answer("k8s.io\n")
            case ["tasks", "ls"]:
                return Answer("TASK    PID    STATUS\n")
            case _:
                return _unknown("ctr", arguments)

    def crictl(self, arguments: list[str]) -> Answer:
        """Answer `crictl`."""
        words = _without_flags(arguments, ("-r", "-i"))
        if not self.pid or self._daemon is None:
            return Answer(stderr=f"E1127 crictl: {_NO_DAEMON}", code=1)
        if self._daemon.refused:
            service = "ImageService" if words[:1] == ["pull"] else "RuntimeService"
            return Answer(stderr=_NO_CRI.format(service=service), code=1)
        match words:
            case ["info"]:
                return Answer(self._recorded.info)
            case ["pull", image]:
                return Answer(stderr=self._pull_error(image), code=1)
            case _:
                return _unknown("crictl", arguments)

    def _pull_error(self, image: str) -> str:
        """Return the error of a pull: a fake node cannot reach any registry."""
        host, _, rest = image.partition("/")
        name, _, tag = rest.partition(":")
        assert self._daemon is not None
        for folder in self._daemon.hosts_directories:
            hosts = self._namespace.root / folder.lstrip("/") / host / "hosts.toml"
            if hosts.is_file():
                url = next(iter(tomllib.loads(hosts.read_text())["host"]))
                reason = _CLOSED_PORT.format(url=url, host=host, name=name, tag=tag)
                break
        else:
            reason = _UNKNOWN_HOST.format(host=host, name=name, tag=tag)
        about = f'failed to pull and unpack image "{image}": failed to resolve reference "{image}"'
        return (
            f'level=fatal msg="pulling image: rpc error: code = Unknown desc = {about}: {reason}"\n'
        )


def _refusal(registry: Mapping[str, Any]) -> str:
    """Return the error with which the CRI plugin refuses registry settings, or an empty string."""
    if not registry.get("config_path"):
        return ""
    tls = any("tls" in settings for settings in registry.get("configs", {}).values())
    for name, is_set in (("mirrors", registry.get("mirrors")), ("configs.tls", tls)):
        if is_set:
            return f"invalid plugin config: `{name}` cannot be set when `config_path` is provided"
    return ""


def _without_flags(arguments: list[str], flags: tuple[str, ...]) -> list[str]:
    """Return a client's command without the flags before it; those in `flags` have a value."""
    words = list(arguments)
    while words and words[0].startswith("-"):
        del words[: 2 if words[0] in flags else 1]
    return words


def _unknown(name: str, arguments: list[str]) -> Answer:
    return Answer(stderr=f"{name}: the fake node has no answer to {arguments}\n", code=125)
