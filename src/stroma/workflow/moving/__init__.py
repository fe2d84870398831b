"""Movies in files to tracks."""
