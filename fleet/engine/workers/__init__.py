"""Worker pools: threads, processes and Dask."""
