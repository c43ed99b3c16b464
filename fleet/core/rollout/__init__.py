"""The rollout as a state machine: policy, batches, limits and the scheduler."""
