"""The defaults of a rollout: its batches, its failure budget, and its time limits in seconds.

The command line, the actions and the library take them from here. The module imports nothing, so
that the help of a command does not load the code that works on nodes.
"""

BATCHES = "1,25%"
"""One node first, then a quarter of all nodes at a time."""


MAX_FAILURES = "0"


SOAK = 6
"""The time for which a restarted containerd must stay up."""


HEALTH = 30
"""The time until containerd must be healthy."""


GUARD = 180
"""The time after which a node reverts an unconfirmed change by itself."""


PULL = 120
"""The time for one verification pull."""


PER_MIRROR = 16
"""The number of nodes that pull from one mirror at once."""


DRAIN = 300
"""The time for the drain of one node."""


READY_LAG = 40
"""The time by which the condition Ready of a cluster's Node may lag behind a restart."""
