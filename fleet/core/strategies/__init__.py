"""The ways to write mirrors on a node, in order of preference; one file each."""

from fleet.core.strategies.base import DesiredState, Strategy
from fleet.core.strategies.certs_d import CertsD
from fleet.core.strategies.k0s import K0s
from fleet.core.strategies.k3s import K3s
from fleet.core.strategies.legacy import Legacy
from fleet.core.strategies.snap import Snap

STRATEGIES: tuple[Strategy, ...] = (K3s(), Snap(), K0s(), CertsD(), Legacy())

__all__ = ["STRATEGIES", "DesiredState", "Strategy"]
