"""The session as a napari plugin; `napari.yaml` lists what it contributes.

Rooms by what is on the screen: `layers` of the viewer, `tabs` of the widget, the `dock` around
them, `menus` and keys; `studio` joins the viewer and the session.
"""
