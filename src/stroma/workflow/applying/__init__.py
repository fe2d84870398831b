"""Models and networks on files: what is found, and what is written of it."""
