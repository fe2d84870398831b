"""What features say without any stroke."""
