"""The strategy for MicroK8s and Canonical Kubernetes: the hosts directory that their snap presets.

Canonical Kubernetes has it in /etc/containerd if its snap has classic confinement, in the snap's
own folder if it is strict, and below `containerd-base-dir` if that is set.
"""

from __future__ import annotations

from fleet.core.containerd.features import Feature, supports
from fleet.core.containerd.registry_table import effective_registry
from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.lint.config import foreign_hosts
from fleet.core.model.facts import NodeFacts
from fleet.core.model.paths import hosts_directories, real_path
from fleet.core.render.base import (
    DesiredConfig,
    DesiredFiles,
    auth_settings,
    known_version,
    parsed_dump,
)
from fleet.core.render.dormant_folders import FolderCheck
from fleet.core.render.hosts_folder import hosts_folder_files
from fleet.core.text.documents import word

FOLDERS = {
    "microk8s": ("/var/snap/microk8s/current/args/certs.d",),
    "canonical-k8s": (
        "/etc/containerd/hosts.d",
        "/var/snap/k8s/common/etc/containerd/hosts.d",
    ),
}


class Snap:
    """A strategy that writes only hosts.toml: config_path is preset, so no restart is needed."""

    name = "snap"

    def supports(self, facts: NodeFacts) -> bool:
        """Return whether a snap of Kubernetes runs this node's containerd."""
        return facts.daemon.owner in FOLDERS

    def render(self, facts: NodeFacts, desired: DesiredConfig) -> DesiredFiles:
        """Return every hosts.toml; the snap's generated config is never touched."""
        auth = auth_settings(desired.registries)
        if auth:
            message = (
                f"{facts.daemon.owner} generates its config.toml, so fleet cannot put the"
                f" credentials for {', '.join(auth)} there"
            )
            remedy = "use Kubernetes image pull secrets"
            raise NodeError(FailureKind.UNSUPPORTED, Step.PLAN, message, remedy)
        directory = _preset(facts) if facts.offline else _read_directory(facts)
        files, skipped = hosts_folder_files(desired.registries, directory, facts, desired.foreign)
        version, managed = known_version(facts), frozenset(files)
        check = FolderCheck(facts=facts, version=version, bases=(directory,), managed=managed)
        findings = (*foreign_hosts(facts, version, managed), *check.findings())
        note = f"{facts.daemon.owner} has config_path preset to {directory}"
        return DesiredFiles(files, directory, (), (note, *skipped), findings=findings)


def _preset(facts: NodeFacts) -> str:
    """Return the directory of the snap by the folders that there are, without a daemon."""
    usual = FOLDERS[str(facts.daemon.owner)]
    return next((path for path in usual if path in facts.paths.directories), usual[0])


def _read_directory(facts: NodeFacts) -> str:
    """Return the directory that the daemon reads; raise a NodeError if it reads none.

    A usual name of it is preferred: the path of MicroK8s has the number of its release.
    """
    owner, path = str(facts.daemon.owner), facts.config.path
    setting = word(effective_registry(parsed_dump(facts)), "config_path")
    directories = hosts_directories(setting)
    lists = supports(known_version(facts), Feature.CONFIG_PATH_LIST)
    if not directories or (":" in setting and not lists):
        state = f"is {setting!r}, which this release does not read" if setting else "is not set"
        raise _refused(f"config_path in {path} {state}: a hosts.toml would have no effect", owner)
    if path in facts.edited_not_loaded:
        edited = f"{path} was edited after containerd started"
        raise _refused(f"{edited}: it may read another folder than {directories[0]}", owner)
    real = real_path(facts.paths.entries, directories[0])
    usual = (name for name in FOLDERS[owner] if real_path(facts.paths.entries, name) == real)
    return next(usual, directories[0])


def _refused(message: str, owner: str) -> NodeError:
    unit = "snap.k8s.containerd" if owner == "canonical-k8s" else "snap.microk8s.daemon-containerd"
    remedy = f"restore the config that {owner} writes, then restart {unit}"
    return NodeError(FailureKind.CONFLICT, Step.PLAN, message, remedy)
