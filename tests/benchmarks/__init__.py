"""The benchmarks' own arithmetic and pages; no timing is asserted anywhere."""
