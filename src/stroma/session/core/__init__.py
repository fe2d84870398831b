"""What all benches share: images, journal, undo, events, one worker, one project, one status."""
