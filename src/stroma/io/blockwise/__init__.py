"""Results larger than memory: put together, written block by block, continued."""
