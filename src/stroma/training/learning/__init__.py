"""The training itself: begun, continued, looked at, finished."""
