"""What fleet says to a node and how it reads the answer: the only home of node-side shell."""
