"""In place of bioio-base."""
