# The paths of fleet's own files on a node.
# outputs: GUARD_UNIT GUARD_WANTED LAST LOCK PENDING RUN STATE

umask 077
STATE=/var/lib/fleet
PENDING=$STATE/pending
LAST=$STATE/last
RUN=/run/fleet
LOCK=$RUN/lock
GUARD_UNIT=/etc/systemd/system/fleet-guard.service
GUARD_WANTED=/etc/systemd/system/multi-user.target.wants/fleet-guard.service
