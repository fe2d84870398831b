"""Files in, results out, without a window: what the command line and batches run."""
