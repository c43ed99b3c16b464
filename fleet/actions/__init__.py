"""The use cases of fleet, one module each: functions and values without a terminal."""
