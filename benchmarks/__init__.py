"""fleet beside its peers and beside the limit, on real nodes; `python3 -m benchmarks` runs it."""
