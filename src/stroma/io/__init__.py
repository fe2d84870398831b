"""Files to data and back; one format a file."""
