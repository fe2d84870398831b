"""Labels in files to models and networks."""
