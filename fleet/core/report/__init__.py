"""The report of one rollout as HTML, JSON or JUnit XML."""
