"""The fault suite: real rollouts on real nodes, broken at random instants, seeded."""
