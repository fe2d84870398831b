"""What helps a person to paint: where next, how good it is, what else to try."""
