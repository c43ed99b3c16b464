"""One suite for fake and real nodes: what a fake node answers, a real one has to answer too."""
