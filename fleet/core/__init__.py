"""The pure core of fleet: functions from values to values, without files, network or clock."""
