"""The page for painting: a local server, and plain modules that a browser runs."""
