"""The tabs of the widget, and the pieces they are put together from."""
