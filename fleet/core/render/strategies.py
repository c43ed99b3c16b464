"""The strategies to configure mirrors on a node, in order of preference."""

from __future__ import annotations

from fleet.core.render.base import DesiredFiles, Strategy
from fleet.core.render.certs_d import CertsD
from fleet.core.render.k0s import K0s
from fleet.core.render.k3s import K3s
from fleet.core.render.legacy import Legacy
from fleet.core.render.snap import Snap

STRATEGIES: tuple[Strategy, ...] = (K3s(), Snap(), K0s(), CertsD(), Legacy())


__all__ = ["STRATEGIES", "DesiredFiles", "Strategy"]
