"""Compare the pictures of two runs of a notebook: nbval does not look at any.

Two machines draw a figure with other anti-aliasing and other hints of the same font, so files
are not compared, nor single pixels. Pictures are shrunk to 64 blocks a row, each the average of
what it covers, and the blocks' colours are compared.
"""
import base64
import binascii
import copy
import io
import re
from pathlib import Path

import matplotlib
import numpy as np
import refresh
from ink import fault
from nbformat import NotebookNode
from PIL import Image, UnidentifiedImageError

# Of 0 … 255, and measured on line plots, log plots, bars, annotated matrices and photographs. The
# worst harmless change (other hinting, no anti-aliasing, 48 or 256 colours for 96, two pixels
# more) gave 36 in one block and 2.2 on average; changes of the usual kind give 0. The mildest of
# the changes to be caught (one curve of three in another colour) gave 49. Moving or recolouring
# a curve, a number's colour, a bar by a few per cent, swapping, mirroring or dropping a panel: 64
# and more. Not seen: faint grid lines, thin curves that exchange blue and green (20), the signs of
# a texture finer than a block, whose average stays grey; what they must show is for an assertion
# to say. At 48 or 96 blocks a row harmless and harmful lay closer together, and so they did for
# hues alone.
BLOCKS, LARGEST, MEAN = 64, 40, 2.5
SLACK = 4                      # pixels of width and height

DATA_URI = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,([A-Za-z0-9+/=\s]+)")
EXEMPT = {"nbval-ignore-output", "nbval-skip"}


def found(cell: NotebookNode) -> list[str]:
    """List the pictures among a code cell's outputs, as base64 and in their order."""
    sources = []
    for output in cell.get("outputs", []):
        for kind, data in sorted(output.get("data", {}).items()):
            if kind.startswith("image/") and kind != "image/svg+xml":
                sources.append(data)
            elif isinstance(data, str):
                sources += DATA_URI.findall(data)
    return sources


def decode(source: str) -> Image.Image:
    """Decode a picture, on white. Raises ValueError when it is none."""
    try:
        picture = Image.open(io.BytesIO(base64.b64decode("".join(source.split()), validate=True)))
        picture = picture.convert("RGBA")
    except (binascii.Error, UnidentifiedImageError, OSError) as error:
        raise ValueError(f"cannot be read as a picture: {error}") from None
    return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")


def difference(stored: Image.Image, fresh: Image.Image) -> str:
    """Say how two pictures differ; nothing when a reader would not see it."""
    if max(abs(a - b) for a, b in zip(stored.size, fresh.size, strict=True)) > SLACK:
        return f"has another size: {stored.size} stored, {fresh.size} drawn now"
    size = BLOCKS, max(1, round(BLOCKS * stored.height / stored.width))
    small = [np.asarray(picture.resize(size, Image.Resampling.BOX), float) for picture in (stored, fresh)]
    blocks = np.abs(small[0] - small[1]).max(axis=2)
    if blocks.max() <= LARGEST and blocks.mean() <= MEAN:
        return ""
    row, column = np.unravel_index(blocks.argmax(), blocks.shape)
    return (f"looks different: by {blocks.max():.0f} of 255 at {column / size[0]:.0%} from the left and "
            f"{row / size[1]:.0%} from the top (at most {LARGEST}), by {blocks.mean():.1f} on average "
            f"(at most {MEAN})")


def shows_nothing(nb: NotebookNode, path: Path) -> list[str]:
    """Complain about each picture that cannot be read, is blank, without data, or too small."""
    return [f"{path.name}, cell {i + 1}: picture {k} {what}"
            for i, cell in enumerate(nb.cells) for k, source in enumerate(found(cell), start=1)
            if (what := _checked(source))]


def _checked(source: str) -> str:
    try:
        return fault(decode(source))
    except ValueError as error:
        return str(error)


def compare(stored: NotebookNode, fresh: NotebookNode, path: Path) -> list[str]:
    """Complain where a run draws another picture than the stored one, or another number of them.

    Cells tagged as not compared may draw what they like, as many times as before.
    """
    complaints = []
    for i, (old, new) in enumerate(zip(stored.cells, fresh.cells, strict=True)):
        pairs = found(old), found(new)
        if len(pairs[0]) != len(pairs[1]):
            complaints.append(f"{path.name}, cell {i + 1}: {len(pairs[0])} pictures are stored, "
                              f"{len(pairs[1])} are drawn now; run `python tools/refresh.py`")
        elif not EXEMPT & set(old.metadata.get("tags", [])):
            complaints += [f"{path.name}, cell {i + 1}: picture {k} {what}"
                           for k, pair in enumerate(zip(*pairs, strict=True), start=1)
                           if pair[0] != pair[1] and (what := difference(*map(decode, pair)))]
    return complaints


def without_pictures(nb: NotebookNode) -> str:
    """Serialise canonically all but the pictures, and the outputs of cells that are not compared."""
    nb = copy.deepcopy(refresh.canonical(nb))
    for cell in nb.cells:
        if EXEMPT & set(cell.metadata.get("tags", [])):
            cell.outputs = []
        for output in cell.get("outputs", []):
            for kind, data in output.get("data", {}).items():
                if kind.startswith("image/") and kind != "image/svg+xml":
                    output.data[kind] = "PICTURE"
                elif isinstance(data, str):
                    output.data[kind] = DATA_URI.sub("PICTURE", data)
    return refresh.dumps(nb)


def other_matplotlib() -> str:
    """Say that pixels mean nothing here; nothing when matplotlib is the locked one.

    From one minor version to the next matplotlib measures text differently, which moves whole
    axes (3.10 to 3.11: 95 of 255). The stored pictures were drawn with the locked version.
    """
    lock = refresh.ROOT / "requirements.txt"
    text = lock.read_text(encoding="utf-8") if lock.exists() else ""
    pin = re.search(r"^matplotlib==(\d+\.\d+)", text, re.MULTILINE)
    here = ".".join(matplotlib.__version__.split(".")[:2])
    if pin is None or pin.group(1) == here:
        return ""
    return f"stored pictures are drawn with matplotlib {pin.group(1)}, which lays text out unlike {here}"
