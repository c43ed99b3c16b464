"""Work on many nodes: the survey, the rollout driver, mirror tests and worker pools."""
