"""The files that a Kubernetes distribution has generated, read back after its restart."""

from __future__ import annotations

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.plan.node_plan import NodePlan
from fleet.core.render.generated_hosts import GeneratedFiles, generated_problems
from fleet.node.file_records import file_records
from fleet.node.progress import enter
from fleet.node.run_script import run_script
from fleet.node.script import Privilege, Script
from fleet.ssh import Remote


def read_back_script(meant: GeneratedFiles) -> Script:
    """Return the script that reports the generated files."""
    return Script(Step.READ_BACK, {"PATHS": "\n".join(meant.paths)}, seconds=30)


def refuse_other_files(remote: Remote, plan: NodePlan, privilege: Privilege) -> None:
    """Raise a NodeError if the distribution has generated other settings than the plan means."""
    meant = plan.config.generated
    if meant is None:
        return
    enter(plan.node.name, Step.READ_BACK)
    reply = run_script(remote, read_back_script(meant), privilege)
    files = {record.path: record.file.content for record in file_records(reply)}
    problems = list(generated_problems(meant, files))
    if problems:
        message = f"{meant.owner} generated other settings than desired: {problems[0]}"
        remedy = f"look for flags and templates of {meant.owner} on the node, or upgrade it"
        raise NodeError(
            FailureKind.VERIFY, Step.READ_BACK, message, remedy, "\n".join(problems[:20])
        )
