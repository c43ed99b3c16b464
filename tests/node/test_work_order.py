"""A work order: the time limits of its parts, and how a node's login becomes root."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.core.model.node import Node
from fleet.core.model.secret import Secret
from fleet.node.script import Privilege
from fleet.node.work_order import Access, Deadlines
from tests.support.orders import order_of

LIMITS = {
    "stage": 60,
    "activate": 3 * (60 + 30) + 60,
    "settle": 2 * (60 + 30) + 60,
    "lost": 180 + 30,
    "pull_wait": 45,
}


@pytest.mark.parametrize(("name", "seconds"), LIMITS.items())
def test_the_limits_of_the_defaults(name: str, seconds: float) -> None:
    assert getattr(Deadlines(), name) == seconds


@pytest.mark.parametrize(
    ("guard", "restart", "health", "lost"),
    [(180, 60, 30, 210), (0, 60, 30, 120), (10, 0, 0, 40), (90, 60, 30, 120)],
)
def test_a_lost_node_is_waited_for_until_its_guard_has_fired(
    guard: int, restart: int, health: int, lost: int
) -> None:
    assert Deadlines(guard=guard, restart=restart, health=health).lost == lost


@pytest.mark.parametrize(
    ("guard", "pull", "wait"), [(180, 120, 45), (180, 30, 30), (0, 120, 120), (400, 99, 99)]
)
def test_a_pull_waits_for_its_mirror_for_a_quarter_of_the_guard(
    guard: int, pull: int, wait: float
) -> None:
    assert Deadlines(guard=guard, pull=pull).pull_wait == wait


STARTS = {
    "at once": (0, 180, 60, 180),
    "containerd's own 90 seconds, which the health check waits for": (90, 180, 60, 180),
    "a server of k3s": (300, 180, 270, 390),
    "without a guard": (300, 0, 270, 0),
    "a guard that is short": (300, 30, 270, 240),
}


@pytest.mark.parametrize(
    ("seconds", "guard", "restart", "longer_guard"), STARTS.values(), ids=STARTS
)
def test_a_slow_unit_has_its_own_time_and_the_guard_waits_for_it(
    seconds: int, guard: int, restart: int, longer_guard: int
) -> None:
    deadlines = Deadlines(guard=guard).for_start(seconds)

    assert (deadlines.restart, deadlines.guard) == (restart, longer_guard)
    assert deadlines.restart + deadlines.health >= seconds
    assert deadlines.health == Deadlines().health


def test_the_limit_of_a_whole_node() -> None:
    deadlines = Deadlines(restart=1, health=2, pull=10, soak=5, guard=40)

    activate, settle, lost = 69, 66, 70
    verification = 5 + 60 + 10 + 3 * (2 * 10 + 60)
    assert deadlines.node(3) == 2 * activate + verification + lost + 2 * settle + 120


SECONDS = st.integers(0, 3600)


@given(SECONDS, SECONDS, SECONDS, SECONDS, SECONDS, st.integers(0, 20))
def test_a_nodes_limit_covers_the_limits_of_its_parts(
    restart: int, health: int, pull: int, soak: int, guard: int, pulls: int
) -> None:
    limits = Deadlines(restart=restart, health=health, pull=pull, soak=soak, guard=guard)

    parts = limits.activate + soak + pulls * pull + limits.settle + limits.lost
    assert limits.node(pulls) > parts
    assert limits.node(pulls + 1) > limits.node(pulls)


def test_an_order_without_pulls_takes_no_time_for_them() -> None:
    order = order_of(verify=False)

    assert order.seconds == order.deadlines.node(0)


def test_the_limit_of_staging_holds_a_second_try_and_a_release() -> None:
    order = order_of()

    assert order.staging == 540
    assert order.staging > 2 * order.deadlines.stage


def test_a_run_that_went_on_after_an_interruption_counts_as_restarted() -> None:
    assert (order_of().restarts, order_of(tries_left=True).restarts) == (False, True)


def test_an_order_can_be_sent_to_another_process() -> None:
    order = order_of(access=Access(privilege=Privilege(password=Secret("p"))))

    assert pickle.loads(pickle.dumps(order)) == order


PASSWORD = Secret("p")
NODES = {
    "the default": (Node(name="a", host="a"), Privilege(PASSWORD)),
    "without sudo": (Node(name="a", host="a", become=False), Privilege(PASSWORD, sudo=False)),
    "with sudo": (Node(name="a", host="a", become=True), Privilege(PASSWORD)),
    "as root": (Node(name="a", host="a", become_user="root"), Privilege(PASSWORD)),
    "as another user": (Node(name="a", host="a", become_user="adm"), Privilege(PASSWORD, "adm")),
}


@pytest.mark.parametrize(("node", "privilege"), NODES.values(), ids=NODES)
def test_the_inventory_decides_how_a_login_becomes_root(node: Node, privilege: Privilege) -> None:
    assert Access(privilege=Privilege(PASSWORD)).for_node(node) == privilege


@pytest.mark.parametrize(
    ("user", "privilege"),
    [("ops", Privilege(None, refused="w7")), ("eve", Privilege(PASSWORD))],
)
def test_a_refused_password_is_kept_from_the_nodes_of_that_login_alone(
    user: str, privilege: Privilege
) -> None:
    access = Access(privilege=Privilege(PASSWORD), refused=(("ops", "w7"),))

    assert access.for_node(Node(name="a", host="a", user=user)) == privilege
