"""The tab of the model: what it sees, how it learns, and how well it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QFileDialog, QLabel, QListWidget

from stroma.classify import CLASSIFIERS
from stroma.napari.studio.studio import Studio
from stroma.napari.tabs import parts
from stroma.napari.tabs.checks import Checks
from stroma.napari.tabs.downloads import when_here
from stroma.napari.tabs.network import ask_network
from stroma.napari.tabs.parameters import alias_of, device_of, scales_text, title
from stroma.napari.tabs.survey import Survey, survey
from stroma.pixel.choices.aliases import ALIASES
from stroma.pixel.choices.catalogue import Entry
from stroma.pixel.param import Param
from stroma.session import events as ev
from stroma.session.events import Event
from stroma.session.strokes.applied import SAID
from stroma.session.strokes.saved import NETWORK
from stroma.workflow.exchange.seeing_networks import title_of

SCALINGS: tuple[list[int], ...] = ([1], [1, 2], [1, 2, 4], [1, 2, 4, 8])
ORDERS = ("nearest", "linear", "quadratic", "cubic", "quartic", "quintic")
NORMALIZE = (("not at all", 1), ("over the whole image", 2), ("plane by plane", 3))
DEVICES = {
    "auto": "the best there is",
    "cpu": "the processor",
    "cuda": "the graphics card (CUDA)",
    "mps": "the graphics card (Apple)",
}
TIPS = {
    True: "Where the network computes its features",
    False: "torch finds no graphics card on this machine: networks run on the processor",
}
NO_NETWORK = "This extractor is no network: it runs on the processor, and needs no other device"
FROM = (("each image", "image"), ("the training images", "training"))


class Model:
    """The tab.

    Parameters
    ----------
    studio : Studio
        What the tabs share.
    """

    title = "Model"

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._known: Survey | None = None
        self._looking_up = False
        self.about = parts.note()
        self.alias = parts.choice("A configuration to start from", self._set_alias)
        parts.offer(self.alias, [(name, name) for name in ALIASES])
        self.extractor = parts.choice("What is computed of the image", self._set_extractor)
        self._layers_label = QLabel("Layers")
        self.layers = QListWidget()
        self.layers.setToolTip("Layers of the network whose features are used; choose several")
        self.layers.setSelectionMode(QListWidget.SelectionMode.ExtendedSelection)
        self.layers.setMaximumHeight(90)
        self.layers.itemSelectionChanged.connect(self._set_layers)
        self._fields = self._made_fields()
        self.device = parts.choice(TIPS[True], lambda device: self._set(fe_use_gpu=device))
        self.checks = Checks(studio)
        self.widget = self._laid_out()
        studio.replaced.connect(self._on_replaced)
        studio.told.connect(self._on_told)
        studio.watched.connect(self._describe)

    def _made_fields(self) -> dict[str, Any]:
        def listed(name: str, tip: str, items: Sequence[tuple[str, Any]]) -> Any:
            made = parts.choice(tip, lambda value: self._set(**{name: value}))
            parts.offer(made, items)
            return made

        def whole(name: str, tip: str, low: int, high: int) -> Any:
            return parts.number(tip, lambda value: self._set(**{name: value}), low, high, low)

        scalings = [(scales_text(s), s) for s in SCALINGS]
        return {
            "fe_scalings": listed(
                "fe_scalings", "Features also of the image reduced by these factors", scalings
            ),
            "fe_order": listed(
                "fe_order",
                "Interpolation of coarse features",
                [(text, i) for i, text in enumerate(ORDERS)],
            ),
            "normalize": listed("normalize", "By what intensities are made comparable", NORMALIZE),
            "norm_from": listed("norm_from", "Whose mean and deviation are taken", FROM),
            "image_downsample": whole(
                "image_downsample",
                "Work on an image reduced by this factor (faster); below -1, enlarged",
                -20,
                20,
            ),
            "seg_smoothening": whole(
                "seg_smoothening", "Radius in which the most frequent class wins; 1 is off", 0, 20
            ),
            "edge_smoothing": whole(
                "edge_smoothing",
                "Radius of smoothing that stops at the edges of the image; 0 is off",
                0,
                64,
            ),
            "unpatch_guided": listed(
                "unpatch_guided",
                "Pixels get the classes of the cells near them that look like them",
                [("off", False), ("on", True)],
            ),
            "crf": parts.fraction(
                "Strength of a dense random field: pixels that look alike and lie near each other "
                "get the same class; 1 is usual, 0 is off",
                lambda value: self._set(crf=round(value, 3)),
                0,
                10,
                0.5,
            ),
            "clf": listed("clf", "What learns the classes", [(n, n) for n in CLASSIFIERS]),
            "clf_iterations": whole("clf_iterations", "Trees", 1, 1000),
            "clf_learning_rate": parts.fraction(
                "How much each tree adds",
                lambda value: self._set(clf_learning_rate=round(value, 3)),
                0.001,
                1,
                0.1,
            ),
            "clf_depth": whole("clf_depth", "Questions a tree asks in a row", 1, 16),
        }

    def _laid_out(self) -> Any:
        field = self._fields
        return parts.page(
            parts.group(
                "Model",
                parts.form(("Start from", self.alias)),
                self.about,
                parts.row(
                    parts.button("Load…", "Go on with a saved model, or a network", self._ask_load),
                    parts.button(
                        "Save…", "Save the model (.pkl) or its settings (.yml)", self._ask_save
                    ),
                    parts.button("Reset", "Back to the values of the configuration", self._reset),
                ),
            ),
            parts.group(
                "Features",
                parts.form(
                    ("Extractor", self.extractor),
                    (self._layers_label, self.layers),
                    ("Scales", field["fe_scalings"]),
                    ("Interpolation", field["fe_order"]),
                    ("Runs on", self.device),
                ),
                parts.button(
                    "See with a network…",
                    "Features of a trained network: a package of bioimage.io, or one of your own",
                    self._ask_network,
                ),
            ),
            parts.group(
                "Image and result",
                parts.form(
                    ("Normalise", field["normalize"]),
                    ("Statistics of", field["norm_from"]),
                    ("Reduce by", field["image_downsample"]),
                    ("Smoothing", field["seg_smoothening"]),
                    ("Along edges", field["edge_smoothing"]),
                    ("Sharpen cells", field["unpatch_guided"]),
                    ("Alike and near", field["crf"]),
                ),
            ),
            parts.group(
                "Classifier",
                parts.form(
                    ("Kind", field["clf"]),
                    ("Trees", field["clf_iterations"]),
                    ("Learning rate", field["clf_learning_rate"]),
                    ("Depth", field["clf_depth"]),
                ),
            ),
            self.checks.widget,
        )

    # ------------------------------------------------------------------ showing parameters

    def _on_replaced(self) -> None:
        self._show()

    def show(self) -> None:
        """Look up what there is to choose from, when it is looked at first."""
        if not self._looking_up:
            self._looking_up = True
            self._studio.call("Looking up models", survey, self._offer)

    def _offer(self, known: Survey) -> None:
        self._known = known
        aliases = [e for e in known.entries if e.kind == "alias"]
        parts.offer(self.alias, [(title(e), e.name) for e in aliases], alias_of(self._param))
        others = [e for e in known.entries if e.kind != "alias"]
        parts.offer(self.extractor, [(e.name, e.extractor) for e in others], self._param.fe_name)
        self._show()

    @property
    def _param(self) -> Param:
        return self._studio.session.settings.param

    def _show(self) -> None:
        param = self._param
        for name, field in self._fields.items():
            value = param.get(name)
            if name == "fe_scalings" and field.findData(value) < 0:
                field.addItem(scales_text(value), value)
            parts.show_value(field, value)
        parts.show_value(self.alias, alias_of(param))
        if self.extractor.findData(param.fe_name) < 0:
            self.extractor.addItem(title_of(param.fe_name), param.fe_name)
        parts.show_value(self.extractor, param.fe_name)
        for name in ("clf_iterations", "clf_learning_rate", "clf_depth"):
            self._fields[name].setEnabled(param.clf != "logistic")
        self._list_layers()
        self._list_devices()
        self._describe()

    def _layer_keys(self) -> list[str]:
        return self._known.layers.get(str(self._param.fe_name), []) if self._known else []

    def _list_layers(self) -> None:
        found, chosen = self._layer_keys(), self._param.fe_layers or []
        with QSignalBlocker(self.layers):
            self.layers.clear()
            self.layers.addItems(found)
            for i, key in enumerate(found):
                item: Any = self.layers.item(i)
                item.setSelected(key in chosen or i in chosen)
        for shown in (self.layers, self._layers_label):
            shown.setVisible(bool(found))

    def _list_devices(self) -> None:
        """Offer the devices of this machine, if there is a choice and something runs on them."""
        here = self._known.devices if self._known else ()
        entry = self._entry()
        is_network = entry is None or entry.weights != "not needed"
        chosen = device_of(self._param)
        listed = [d for d in DEVICES if d in ("auto", "cpu", chosen, *here)]
        parts.offer(self.device, [(DEVICES[d], d) for d in listed], chosen)
        self.device.setEnabled(is_network and (len(here) > 1 or chosen not in ("auto", "cpu")))
        self.device.setToolTip(TIPS[len(here) > 1] if is_network else NO_NETWORK)

    def _entry(self) -> Entry | None:
        """Return what is known of the extractor; nothing, before the look-up is done."""
        known = self._known.entries if self._known else ()
        return next((e for e in known if e.extractor == self._param.fe_name), None)

    def _describe(self) -> None:
        if self._studio.bridge is None:
            return
        if self._studio.session.network is not None:
            self.about.setText(SAID)
            return
        status, param, entry = self._studio.session.status, self._param, self._entry()
        features = f", {entry.grey} features a channel" if entry and entry.grey else ""
        trained = (
            "in training"
            if status.phase == "training"
            else "not trained"
            if status.trained < 0
            else ("trained" if status.trained == status.revision else "trained, strokes are newer")
        )
        self.about.setText(f"{title_of(param.fe_name)}{features}; {param.clf}; {trained}.")

    # ------------------------------------------------------------------ changing parameters

    def _set(self, **values: Any) -> None:
        self._studio.attempt(lambda: self._studio.session.set_params(**values))

    def _set_alias(self, alias: str) -> None:
        known = self._known.entries if self._known else ()
        entry = next((e for e in known if e.name == alias), None)
        if entry is not None and entry.missing:
            self.about.setText(entry.missing)
            parts.show_value(self.alias, alias_of(self._param))
            return
        self._when_here(alias, lambda: self._studio.session.set_alias(alias))

    def _set_extractor(self, name: str) -> None:
        from stroma.pixel.choices.aliases import extractor_defaults

        made = extractor_defaults(name)
        values = {"fe_layers": made.fe_layers, "fe_scalings": made.fe_scalings}
        self._when_here(name, lambda: self._studio.session.set_params(fe_name=name, **values))

    def _when_here(
        self, name: str, change: Callable[[], object], layers: Sequence[str] = ()
    ) -> None:
        """Make a change when its networks are here; until then, what is set is shown."""
        then = partial(self._studio.attempt, change)
        when_here(name, then, self._studio, self.widget, layers=layers)
        self._show()

    def _set_layers(self) -> None:
        chosen = [item.text() for item in self.layers.selectedItems()]
        if chosen:
            layers = sorted(chosen, key=self._layer_keys().index)
            name = str(self._param.fe_name)
            self._when_here(name, lambda: self._studio.session.set_params(fe_layers=layers), layers)

    def _ask_network(self) -> None:
        if asked := ask_network(self.widget):
            self.see_with(asked[0], own=asked[1])

    def see_with(self, source: str, *, own: bool = True) -> None:
        """Take what a network sees as features; see `Session.see_with`."""
        session, name = self._studio.session, Path(source).name
        self._studio.call(f"Loading {name}", lambda: session.see_with(source, own=own))

    def _reset(self) -> None:
        self._studio.attempt(
            lambda: self._studio.session.set_alias(alias_of(self._param) or "stroma")
        )

    # ------------------------------------------------------------------ files

    def _ask_load(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self.widget, "Model", "", "Models (*.pkl *.yml *.safetensors);;All files (*)"
        )
        if path:
            self.load(Path(path))

    def load(self, path: Path) -> None:
        """Go on with a saved model, on the images and strokes that are there."""
        self._studio.load_model(path)

    def _ask_save(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self.widget, "Model", *self._named())
        if path:
            self.save(Path(path))

    def _named(self) -> tuple[str, str]:
        """Return the name that a file is offered, and the kinds there are."""
        if self._studio.session.network is not None:
            return NETWORK, "Network (*.safetensors)"
        return "model.pkl", "Model (*.pkl);;Settings only (*.yml)"

    def save(self, path: Path) -> None:
        """Save the model, or by the name's ending its settings alone; or the network."""
        session = self._studio.session
        network = session.network
        if network is not None:
            self._studio.call(f"Saving {path.name}", lambda: network.save(path))
            return
        pickle = path.suffix.lower() != ".yml"
        self._studio.call(
            f"Saving {path.name}",
            lambda: session.model.save(path, create_pkl=pickle, create_yml=not pickle),
        )

    def _on_told(self, event: Event) -> None:
        if isinstance(event, ev.SettingsChanged):
            self._show()
        elif isinstance(event, ev.ModelTrained | ev.RoundFinished):
            self._describe()
