"""The hosts that serve a registry, with their logins and certificates, now and before a rollout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fleet.core.containerd.hosts_document import decode_hosts
from fleet.core.containerd.registry_url import default_server, folder_name
from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.model.change import ManagedFile, Tree
from fleet.core.plan.registry_view import registry_of
from fleet.core.render.config_editor import ConfigEditor
from fleet.core.text.documents import DocumentError, parse_toml, table, tables, word, words
from fleet.core.text.toml_scan import Path
from fleet.core.text.toml_splice import Setting

CERTIFICATES = "/etc/containerd/fleet/"
"""The folder of the certificates that configs.HOST.tls names."""
_FILES = ("ca_file", "cert_file", "key_file")


@dataclass(frozen=True, slots=True)
class RegistryFiles:
    """A node's files at one time, and the registry table of its config."""

    files: Tree
    settings: Mapping[str, Any]

    def names(self) -> set[str]:
        """Return the registries that have a table or a hosts.toml."""
        return {*map(folder_name, table(self.settings, "mirrors")), *dict(self._folders())}

    def hosts(self, name: str) -> set[str]:
        """Return the hosts that serve a registry; that of its own server is among them."""
        mirrors = tables(self.settings, "mirrors").items()
        entries = [entry for key, entry in mirrors if folder_name(key) == name]
        urls = [url for entry in entries for url in words(entry, "endpoint")]
        urls += [url for folder, file in self._folders() if folder == name for url in _urls(file)]
        urls.append(default_server(name) or "")
        return {url.partition("://")[2].partition("/")[0] for url in urls} - {""}

    def host(self, name: str) -> Mapping[str, Any]:
        """Return the table of a host below configs; it is empty if there is none."""
        return table(table(self.settings, "configs"), name)

    def certificates(self, name: str) -> dict[str, ManagedFile | None]:
        """Return the files that the TLS settings of a host name."""
        tls = table(self.host(name), "tls")
        paths = filter(None, (word(tls, key) for key in _FILES))
        return {path: self.files.get(path) for path in paths}

    def _folders(self) -> Iterator[tuple[str, ManagedFile]]:
        for path, file in self.files.items():
            if path.endswith("/hosts.toml"):
                yield registry_of(path.split("/")[-2]), file


def _urls(file: ManagedFile) -> list[str]:
    """Return the URLs that a hosts.toml names."""
    try:
        data = parse_toml(decode_hosts(file.content))
    except DocumentError:
        return []
    return [*tables(data, "host"), word(data, "server") or ""]


def hosts_to_restore(name: str, now: RegistryFiles, then: RegistryFiles) -> Iterator[str]:
    """Yield the hosts of a registry whose login or certificates an undo must restore.

    Raise a NodeError if another registry uses such a host too, or if a certificate is not saved.
    A host that serves only other registries after the undo stays as it is.
    """
    others = {host: other for other in sorted(now.names() - {name}) for host in now.hosts(other)}
    served = then.hosts(name)
    for host in sorted(served | now.hosts(name)):
        before, after = then.certificates(host), now.certificates(host)
        if then.host(host) == now.host(host) and before == after:
            continue
        if host in others and host in served:
            raise inseparable(f"{host}, whose login or TLS settings changed, serves {others[host]}")
        if host in others:
            continue
        for path, file in before.items():
            if file is None and path.startswith(CERTIFICATES):
                raise inseparable(f"{path}, which {host} needs, is not saved")
        yield host


def restore_host(editor: ConfigEditor, host: str, then: RegistryFiles) -> None:
    """Make the settings of a host in the config what they were."""
    place = ("configs", host)
    now, before = editor.intended.get("configs", {}).get(host), then.host(host)
    if now is not None and not before:
        editor.drop([place])
        return
    kept = dict(_settings(place, before))
    gone = [path for path, _ in _settings(place, now or {}) if path not in kept]
    tables_gone = [(*place, key) for key in now or {} if key not in before]
    editor.drop([*gone, *tables_gone])
    editor.set(kept)


def _settings(place: Path, settings: Mapping[str, Any]) -> Iterator[tuple[Path, Setting]]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _settings((*place, key), value)
        else:
            yield (*place, key), value


def inseparable(reason: str) -> NodeError:
    """Return the refusal to undo one registry alone."""
    message = f"{reason}, so one registry cannot be undone alone"
    return NodeError(FailureKind.UNSUPPORTED, Step.PLAN, message, "undo all, without --registry")
