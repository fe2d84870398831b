"""The session as a napari plugin; `napari.yaml` lists what it contributes."""
