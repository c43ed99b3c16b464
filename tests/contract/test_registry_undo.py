"""The undo of one registry, with the login and the certificate of its mirror."""

from __future__ import annotations

from dataclasses import replace

from fleet.core.model.mirror import Auth, Mirror, Registry
from fleet.core.model.secret import Secret
from fleet.core.plan.rollback import plan_rollback
from fleet.core.plan.undo_request import UndoRequest
from fleet.core.render.base import DesiredConfig
from tests.contract.target import CONFIG, WANTED, Target

SUITES = ("bullseye", "trixie")  # containerd 1.4 has one file, 1.7 has folders and a login apart
PASSWORD = "correct-horse"
PEM = b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"
HARBOR = Mirror(
    url="https://harbor.example:5000", auth=Auth(username="u", password=Secret(PASSWORD)), ca=(PEM,)
)


def serving(*mirrors: Mirror) -> DesiredConfig:
    """Return a config that serves quay.io by these mirrors, or not at all."""
    quay = Registry(name="quay.io", server="https://quay.io", mirrors=mirrors)
    return replace(WANTED, registries=(*WANTED.registries, *([quay] if mirrors else [])))


def converged(target: Target, rollout: str, *mirrors: Mirror) -> dict[str, str]:
    """Serve quay.io by these mirrors; return the node's files."""
    target.converged(target.plan(serving(*mirrors)), rollout=rollout)
    return target.etc()


def undone(target: Target, rollout: str) -> dict[str, str]:
    """Undo quay.io alone; return the node's files."""
    facts = target.facts(walk="latest")
    plan = plan_rollback(target.node, facts, UndoRequest(registry="quay.io"))
    assert plan.failure is None, plan.failure
    target.converged(plan, rollout=rollout, purpose="rollback")
    return target.etc()


def test_the_login_and_the_certificate_of_its_mirror_go_with_it(target: Target) -> None:
    private = converged(target, "20260102-000000-0002", HARBOR)
    assert PASSWORD in target.read(CONFIG)

    converged(target, "20260103-000000-0003", Mirror(url="https://mirror.example"))
    assert PASSWORD not in target.read(CONFIG)
    again = undone(target, "20260104-000000-0004")

    assert PASSWORD in target.read(CONFIG)
    assert {path: about for path, about in again.items() if path != CONFIG} == {
        path: about for path, about in private.items() if path != CONFIG
    }
    assert again[CONFIG].startswith("600 0 0 ")
    assert target.plan(serving(HARBOR)).changes == ()


def test_an_undone_mirror_leaves_no_login(target: Target) -> None:
    without = converged(target, "20260101-000000-0001")
    converged(target, "20260102-000000-0002", HARBOR)

    after = undone(target, "20260103-000000-0003")

    assert PASSWORD not in target.read(CONFIG)
    assert after == without  # with the mode that it had, too
    assert target.plan().changes == ()
