"""The strategy for MicroK8s and Canonical Kubernetes: the snap's hosts directory, always read."""

from __future__ import annotations

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.lint.config import foreign_hosts
from fleet.core.model.facts import NodeFacts
from fleet.core.render.base import DesiredConfig, DesiredFiles, auth_settings, known_version
from fleet.core.render.dormant_folders import FolderCheck
from fleet.core.render.hosts_folder import hosts_folder_files

FOLDERS = {
    "microk8s": "/var/snap/microk8s/current/args/certs.d",
    "canonical-k8s": "/var/snap/k8s/common/etc/containerd/hosts.d",
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
        directory = FOLDERS[str(facts.daemon.owner)]
        files, skipped = hosts_folder_files(desired.registries, directory, facts, desired.foreign)
        version, managed = known_version(facts), frozenset(files)
        check = FolderCheck(facts=facts, version=version, bases=(directory,), managed=managed)
        findings = (*foreign_hosts(facts, version, managed), *check.findings())
        note = f"{facts.daemon.owner} has config_path preset to {directory}"
        return DesiredFiles(files, directory, (), (note, *skipped), findings=findings)
