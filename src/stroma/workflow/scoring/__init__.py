"""Results beside the truth."""
