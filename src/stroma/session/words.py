"""What went wrong, in the words of people who paint: nothing that only programmers know.

Errors are written for everybody who calls the package. Some of them, for good reason, name
arguments, types or values of Python; nobody who looks at the page or a viewer can do anything with
those.
"""

from __future__ import annotations

import re

from stroma.errors import for_people, with_sizes

UNKNOWN = "That is not possible with these images and settings."
UNFETCHED = re.compile("The weights of .* are not on this machine and could not be fetched")
NOT_FETCHED = "The pretrained network is not on this machine and could not be downloaded."

SYSTEM = re.compile(r"<urlopen error (?:\[Errno -?\d+\] )?([^>]*)>|\[Errno -?\d+\] ")

KIND = re.compile(r"^(?:\w+\.)*[A-Z]\w*(?:Error|Exception|Warning): ")
"""What Python puts in front of a message."""

CODE = re.compile(
    r"\b(?:np|numpy|torch|sklearn|scipy|catboost|skimage|zarr|tifffile)\.\w"
    r"|\b(?:in_channels|channel_mode|channels_last|memory_mode|img_ids|save_as|as_code|ndim|dtype|"
    r"(?:fe|clf|norm|image|seg|tile|use|ignore)_[a-z_]+)"
    r"|\b(?:(?:axes|series|set|read|write)_?\w*|unnamed|tables|target|mask|mirror|directions|overwrite|kind|format|"
    r"license|strokes|decoder|everything|trust|folds|network|solver|device)="
    r"|\A(?![^\n]*\bstroma )[^\n]*(?<![\w-])--[a-z]"
    r"|\b(?:None|True|False|NoneType|ndarray|kwargs?|Traceback)\b"
    r"|\w\((?!\d+\))\w*(?:=[^)]*)?\)(?!\.\w|[\w/\\])"
    r"|\b[bru]'|\\x[0-9a-f]{2}|<(?:class|function|\w+ object)"
    r"|\((?:\d+, ?)+\d*\)|\w+\[['\"\d]"
)
"""Names of arguments and modules, constants, calls, bytes, shapes; options without a command."""

ASIDES = re.compile(r"\s*\((?:[^()]|\([^()]*\))*\)")
SENTENCES = re.compile(r"(?<=[.!?])\s+(?=\S)")


def said(error: BaseException) -> str:
    """Return what is wrong, see ``plain``."""
    return plain(for_people(error))


def plain(text: str) -> str:
    """Return a message without the sentences that speak of code; sizes are written out.

    What only some need to know follows after an empty line.
    """
    if UNFETCHED.match(text):
        return f"{NOT_FETCHED}\n\n{_without_code(text)}"
    return _without_code(text)


def _without_code(text: str) -> str:
    text = with_sizes(KIND.sub("", text))
    text = SYSTEM.sub(lambda found: found[1] or "", text)
    return without(CODE, text) or UNKNOWN


def without(code: re.Pattern[str], text: str) -> str:
    """Return a message without the asides and sentences in which a pattern is found."""
    text = ASIDES.sub(lambda found: "" if code.search(found[0]) else found[0], text)
    kept = [one for one in SENTENCES.split(text) if not code.search(one)]
    return " ".join(kept).strip()
