"""Inputs that no friend would write, by the thousand: nothing may escape, nothing may take long."""
