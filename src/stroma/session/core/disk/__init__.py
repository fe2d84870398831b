"""A session on the disk: its project, journal, snapshots and lock."""
