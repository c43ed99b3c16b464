"""The ways to write mirrors on a node, in order of preference; one file each."""

from fleet.core.strategies.base import DesiredState, Strategy
from fleet.core.strategies.certs_d import CertsD
from fleet.core.strategies.legacy import Legacy

STRATEGIES: tuple[Strategy, ...] = (CertsD(), Legacy())

__all__ = ["STRATEGIES", "DesiredState", "Strategy"]
