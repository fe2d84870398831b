"""How good a result is; one kind of result a file."""
