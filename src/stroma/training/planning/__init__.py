"""What is trained, for how long, and in how much memory."""
