"""The network of a package as something that runs: ONNX, TorchScript, or Python.

ONNX describes a calculation, and can do nothing else: it runs as it is. TorchScript and Python are
programs, and run with consent only (`stroma.zoo.packages.consent`).
"""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Collection, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
import yaml
from torch import nn

from stroma.errors import FormatError, MissingExtraError, install, short
from stroma.weights.checkpoint import read_checkpoint, state_of
from stroma.zoo.packages.consent import Code, digest_of, require_consent
from stroma.zoo.packages.package import Package
from stroma.zoo.packages.values import listed, within

BROKEN = (
    *(ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, NameError),
    *(NotImplementedError, OSError, RuntimeError, SyntaxError, TypeError, ValueError),
)
"""What a program raises that does not run."""

ONNX, SCRIPT, TENSORS = "onnx", "torchscript", "pytorch_state_dict"
FORMATS = (ONNX, SCRIPT, TENSORS)
"""Formats of weights that run, the one that needs no consent first."""


class Program(nn.Module):
    """A network of a package, read from there again wherever it is sent.

    Parameters
    ----------
    package : Package
        Where it is.
    said : mapping
        What the package says of its weights.
    trust : collection of str
        Programs that the user trusts.
    """

    def __init__(self, package: Package, said: Mapping[str, Any], trust: Collection[str]) -> None:
        super().__init__()
        self.package, self.said, self.trust = package, said, tuple(trust)

    def __reduce__(self) -> Any:
        """Pickle as where it is."""
        return type(self), (self.package, self.said, self.trust)

    def remember(self, data: bytes) -> None:
        """Keep what tells this program from others, as a tensor among the others."""
        whole = torch.frombuffer(bytearray(hashlib.sha256(data).digest()), dtype=torch.uint8)
        self.register_buffer("program", whole)


class Onnx(Program):
    """A network in ONNX, run by ONNX Runtime."""

    def __init__(self, package: Package, said: Mapping[str, Any], trust: Collection[str]) -> None:
        super().__init__(package, said, trust)
        runtime = _runtime(package)
        data = weights_of(said, package)
        if within({"a": said}, "a").get("external_data"):
            raise FormatError(
                f"{package.path} keeps values of its network in further files. They are not read; "
                "save it as one ONNX file."
            )
        self.errors = _errors_of(runtime)
        options = runtime.SessionOptions()
        options.log_severity_level = 4
        try:
            made = runtime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except self.errors as error:
            raise FormatError(f"{package.path}: its ONNX cannot be read: {short(error)}") from error
        self.session = made
        self.remember(data)

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Return every output."""
        one = self.session.get_inputs()[0]
        try:
            found = self.session.run(None, {one.name: images.cpu().numpy()})
        except self.errors as error:
            raise _refused(self.package, images, error) from error
        return [torch.from_numpy(each).to(images.device) for each in found]


class Script(Program):
    """A network in TorchScript."""

    def __init__(self, package: Package, said: Mapping[str, Any], trust: Collection[str]) -> None:
        super().__init__(package, said, trust)
        data = weights_of(said, package)
        name = str(said.get("source"))
        code = Code(package.path, "TorchScript", name, digest_of(data), authors_of(package))
        require_consent(code, trust)
        load: Any = torch.jit.load
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of torch, to who makes them
                self.inner = load(io.BytesIO(data), map_location="cpu")
        except BROKEN as error:
            raise FormatError(
                f"{package.path}: its TorchScript cannot be read: {short(error)}"
            ) from error
        self.remember(data)

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Return every output."""
        return run(self.inner, images, self.package)


class Written(Program):
    """A network as Python that builds it, and its tensors."""

    def __init__(self, package: Package, said: Mapping[str, Any], trust: Collection[str]) -> None:
        super().__init__(package, said, trust)
        name, called, kwargs = architecture_of(said, package.path)
        source = package.read(name)
        what = f"{called} in {name}"
        asked = yaml.safe_dump([called, dict(kwargs)]).encode()
        number = digest_of(b"\0".join((source, asked)))  # what is called is as much of the program
        code = Code(package.path, "Python", what, number, authors_of(package))
        require_consent(code, trust)
        data = weights_of(said, package)
        state = state_of(read_checkpoint(package.path, data), package.path)
        try:
            made = _built(source, f"{package.path}/{name}", called, kwargs)
            made.load_state_dict(state)
        except BROKEN as error:
            raise FormatError(f"{package.path}: {what} does not run: {short(error)}") from error
        self.inner = made.eval()
        self.remember(source)

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Return every output."""
        return run(self.inner, images, self.package)


KINDS: Mapping[str, type[Program]] = {ONNX: Onnx, SCRIPT: Script, TENSORS: Written}


def program_of(package: Package, said: Mapping[str, Any], trust: Collection[str]) -> Program:
    """Return the network of a package as a program, ONNX before those that need consent.

    Raises
    ------
    FormatError
        If it has none that runs here.
    ConsentError
        If it is a program that the user did not say to trust.
    MissingExtraError
        If what runs it is not installed.
    """
    weights = within(said, "weights")
    found = next((name for name in FORMATS if within(weights, name)), None)
    if found is None:
        formats = short(", ".join(map(str, weights)) or "none")
        raise FormatError(
            f"{package.path} has its network in formats that do not run here ({formats}). Run are "
            f"{', '.join(FORMATS)}."
        )
    return KINDS[found](package, within(weights, found), trust)


def weights_of(said: Mapping[str, Any], package: Package) -> bytes:
    """Return the weights that a description names, which are those that it was written with.

    Raises
    ------
    FormatError
        If they are others.
    """
    return package.read(str(said.get("source", "")), sha256=str(said.get("sha256") or ""))


def authors_of(package: Package) -> tuple[str, ...]:
    """Return who wrote a package, as it says."""
    every = listed(package.description(), "authors")
    return tuple(str(one["name"]) for one in every if within({"a": one}, "a").get("name"))


def architecture_of(said: Mapping[str, Any], path: Path) -> tuple[str, str, Mapping[str, Any]]:
    """Return file, name and arguments of what builds a network.

    Raises
    ------
    FormatError
        If it is not in a file of the package.
    """
    how = said.get("architecture")
    if isinstance(how, str):
        name, _, called = how.partition(":")
        kwargs = within(said, "kwargs")
    else:
        inner = within(said, "architecture")
        name, called = str(inner.get("source", "")), str(inner.get("callable", ""))
        kwargs = within(inner, "kwargs")
    if not name.endswith(".py") or not called:
        raise FormatError(
            f"{path} has its network as tensors of a library's ({short(how)}), which is not run. "
            f"Run are {ONNX}, {SCRIPT}, and Python in the package itself."
        )
    return name, called, kwargs


def run(module: Any, images: torch.Tensor, package: Package) -> list[torch.Tensor]:
    """Return every output of a module.

    Raises
    ------
    FormatError
        If it does not take such images.
    """
    try:
        found = module(images)
    except BROKEN as error:
        raise _refused(package, images, error) from error
    if isinstance(found, torch.Tensor):
        return [found]
    values = found.values() if isinstance(found, Mapping) else found
    return [one for one in values if isinstance(one, torch.Tensor)]


def _built(source: bytes, name: str, called: str, kwargs: Mapping[str, Any]) -> Any:
    """Run Python of a package, to which the user consented, and return what it builds."""
    module = ModuleType("package")
    exec(compile(source, name, "exec"), module.__dict__)
    return getattr(module, called)(**kwargs)


def _runtime(package: Package) -> Any:
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"The network in {package.path} is ONNX, which needs {error.name}. Install it with: "
            f"{install('zoo')}"
        ) from error
    return onnxruntime


def _errors_of(runtime: Any) -> tuple[type[BaseException], ...]:
    """Return what ONNX Runtime raises, which has no base of its own."""
    state = runtime.capi.onnxruntime_pybind11_state
    named = ("Fail", "InvalidGraph", "InvalidArgument", "InvalidProtobuf", "RuntimeException")
    others = ("NoModel", "NotImplemented", "EPFail", "NoSuchFile")
    every = [getattr(state, name) for name in (*named, *others) if hasattr(state, name)]
    return (*every, RuntimeError, ValueError)


def _refused(package: Package, images: torch.Tensor, error: BaseException) -> FormatError:
    return FormatError(
        f"{package.path}: its network does not take {tuple(images.shape)} values, though the "
        f"package says so: {short(error, 200)}"
    )
