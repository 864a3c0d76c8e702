"""The drawings of images/: reproducible, accessible, self-contained, and right in every number.

Each check is a function that takes the text of an SVG file and raises AssertionError. Below the
checks every one of them is fed with a drawing that carries one fault, and must notice it.
"""
import colorsys
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from PIL import ImageFont

from helpers.exercises.grading import grade
from helpers.plotting.contrast import contrast
from helpers.plotting.figures import GRADIENT, INPUT, KERNEL, OUTPUT

IMAGES = Path(__file__).resolve().parents[2] / "images"
NAMES = sorted(script.stem.removeprefix("draw_") for script in IMAGES.glob("draw_*.py"))
SVG = "{http://www.w3.org/2000/svg}"
FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
LIMIT = 60_000


def drawing(name):
    return (IMAGES / f"{name}.svg").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def redrawn(tmp_path_factory):
    """A folder in which every script has written its drawing, under another order of hashes."""
    folder = tmp_path_factory.mktemp("images")
    program = ("import runpy, sys\nfor script in sys.argv[2:]:\n    sys.argv[1:] = [sys.argv[1]]\n"
               "    runpy.run_path(script, run_name='__main__')")
    scripts = [str(IMAGES / f"draw_{name}.py") for name in NAMES]
    subprocess.run([sys.executable, "-c", program, folder, *scripts], check=True, cwd=folder, timeout=120,
                   env={**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": str(IMAGES)})
    return folder


# ---------------------------------------------------------------------- reading a drawing

def parse(source):
    return ElementTree.fromstring(source.encode())


def content(element):
    return "".join(element.itertext()).replace("\u2212", "-")


def group(source, name):
    found = [g for g in parse(source).iter(f"{SVG}g") if g.get("id") == name]
    assert len(found) == 1, f"{len(found)} groups are called {name!r}, not one"
    return found[0]


def matrix(source, name):
    """The numbers of a grid as a square or 1-row matrix, in reading order."""
    entries = [float(content(text)) for text in group(source, name).iter(f"{SVG}text")]
    side = round(len(entries) ** 0.5)
    assert side * side == len(entries), f"{name}: {len(entries)} numbers are not a square grid"
    return np.array(entries).reshape(side, side)


def filled(source, name):
    """Which cells of a grid are filled most: True where the fill is the darkest that occurs."""
    depths = np.array([sum(rgb(cell.get("fill"))) for cell in group(source, name).iter(f"{SVG}rect")])
    side = round(len(depths) ** 0.5)
    return (depths == depths.min()).reshape(side, side)


def box(cell):
    return [float(cell.get(key)) for key in ("x", "y", "width", "height")]


def numbers(source, name):
    """The numbers of one line of arithmetic, `a - b` read as a and −b."""
    line = next(text for text in parse(source).iter(f"{SVG}text") if text.get("id") == name)
    found = re.findall(r"(-?)\s*(\d+(?:\.\d+)?)", content(line))
    return [float(sign + digits) for sign, digits in found]


def rgb(color):
    assert re.fullmatch(r"#[0-9A-F]{6}", color), f"{color!r} is not a colour like #0072B2"
    return [int(color[k:k + 2], 16) / 255 for k in (1, 3, 5)]


# ---------------------------------------------------------------------- checks of any drawing

def check_size(source):
    assert len(source.encode()) < LIMIT, f"{len(source.encode())} bytes; at most {LIMIT}"


def check_named(source):
    """A name and a description that a screen reader can find."""
    root = parse(source)
    assert root.tag == f"{SVG}svg" and root.get("role") == "img", 'the root needs role="img"'
    for tag, key, least in (("title", "aria-labelledby", 3), ("desc", "aria-describedby", 12)):
        elements = root.findall(f"{SVG}{tag}")
        assert len(elements) == 1, f"{len(elements)} elements {tag} instead of one"
        assert len((elements[0].text or "").split()) >= least, f"{tag} says too little"
        assert root.get(key) == elements[0].get("id") is not None, f"{key} does not point at {tag}"


def check_vector(source):
    """Lines, shapes and text only: no pixels, no scripts, no foreign markup."""
    allowed = {"svg", "title", "desc", "g", "rect", "circle", "path", "polygon", "text", "tspan"}
    used = {element.tag.removeprefix(SVG) for element in parse(source).iter()}
    assert used <= allowed, f"not allowed in a drawing: {sorted(used - allowed)}"


def check_self_contained(source):
    """Nothing is loaded from elsewhere, and nothing runs."""
    assert "<!" not in source and "<?" not in source, "a document type or an instruction"
    bare = source.replace('xmlns="http://www.w3.org/2000/svg"', "", 1)
    assert not re.search(r"https?:|file:|data:|url\(|@import", bare), "an external reference"
    for element in parse(source).iter():
        for key in element.attrib:
            word = key.rpartition("}")[2]
            assert word not in ("href", "src", "style") and not word.startswith("on"), word


def check_ids(source):
    ids = [element.get("id") for element in parse(source).iter() if element.get("id")]
    assert len(ids) == len(set(ids)), "an id occurs twice"


def check_card(source):
    """An opaque light card under everything, so that no theme of the page shines through."""
    root = parse(source)
    width, height = float(root.get("width")), float(root.get("height"))
    assert root.get("viewBox") == f"0 0 {width:g} {height:g}" and width == 720
    card = root.find(f"{SVG}rect")
    assert box(card)[2] >= width - 2 and box(card)[3] >= height - 2, "the card is too small"
    assert min(rgb(card.get("fill"))) > 0.9, "the card is not light"
    assert not {"opacity", "fill-opacity"} & {k for e in root.iter() for k in e.attrib}


def check_text_size(source):
    """At least 9 points, that is 12 pixels, everywhere, indices included."""
    for element in parse(source).iter():
        if element.get("font-size"):
            assert float(element.get("font-size")) >= 12, f"too small: {content(element)!r}"
        else:
            assert element.tag != f"{SVG}text", f"text without a size: {content(element)!r}"


def check_contrast(source):
    """Every text stands out from the shape that lies under it by 4.5 to 1."""
    under = []
    for element in parse(source).iter():
        if element.tag in (f"{SVG}rect", f"{SVG}circle") and element.get("fill") != "none":
            under.append(element)
        elif element.tag == f"{SVG}text":
            x, y = float(element.get("x")), float(element.get("y")) - 3
            ground = next(shape.get("fill") for shape in reversed(under) if covers(shape, x, y))
            for span in element.iter():
                ratio = contrast(span.get("fill", element.get("fill")), ground)
                assert ratio >= 4.5, f"{content(element)!r} on {ground}: contrast {ratio:.2f}"


def covers(shape, x, y):
    if shape.tag == f"{SVG}circle":
        cx, cy, r = (float(shape.get(key)) for key in ("cx", "cy", "r"))
        return (x - cx) ** 2 + (y - cy) ** 2 <= r * r
    left, top, width, height = box(shape)
    return left <= x <= left + width and top <= y <= top + height


def check_palette(source):
    """Every colour is grey, or one of the four meanings, thinned or darkened."""
    hues = [colorsys.rgb_to_hls(*rgb(color))[0] for color in (INPUT, KERNEL, OUTPUT, GRADIENT)]
    for element in parse(source).iter():
        for color in {element.get("fill"), element.get("stroke")} - {None, "none"}:
            red, green, blue = rgb(color)
            hue = colorsys.rgb_to_hls(red, green, blue)[0]
            grey = max(red, green, blue) - min(red, green, blue) < 0.02
            assert grey or min(abs(hue - known) for known in hues) < 0.02, f"{color}: no meaning"


def check_inside(source):
    """No text leaves the card, even in the widest font that a reader may have."""
    for text in parse(source).iter(f"{SVG}text"):
        start, end = extent(text)
        assert 8 <= start and end <= 712, f"{content(text)!r} from {start:.0f} to {end:.0f}"
        assert 12 <= float(text.get("y")) <= float(parse(source).get("height")) - 12


def extent(text):
    """Where a text begins and ends, measured in DejaVu: wider than Times and Arial."""
    width = 0.0
    for span in text.iter():
        face = span.get("font-family", text.get("font-family", "sans"))
        size = float(span.get("font-size", text.get("font-size")))
        width += float(span.get("dx", 0)) + measure("Times" in face, size, span.text or "")
    x = float(text.get("x"))
    return {"middle": (x - width / 2, x + width / 2), "end": (x - width, x)}.get(
        text.get("text-anchor"), (x, x + width))


def measure(serif, size, signs):
    file = FONTS / ("DejaVuSerif.ttf" if serif else "DejaVuSans.ttf")
    return ImageFont.truetype(str(file), 100).getlength(signs) * size / 100


# ---------------------------------------------------------------------- checks of the numbers

def correlate(x, kernel):
    """The definition in loops, written a second time."""
    y = np.zeros((x.shape[0] - kernel.shape[0] + 1, x.shape[1] - kernel.shape[1] + 1))
    for (i, j), _ in np.ndenumerate(y):
        for (u, v), weight in np.ndenumerate(kernel):
            y[i, j] += x[i + u, j + v] * weight
    return y


def check_convolution(source):
    """The output is the unflipped sum, everywhere; and the kernel could tell a flip."""
    x, K, y = (matrix(source, name) for name in ("input", "kernel", "output"))
    assert x.shape == (5, 5) and K.shape == (3, 3) and y.shape == (3, 3)
    assert np.array_equal(y, correlate(x, K)), "the output is not x correlated with K"
    assert x.min() < 0 and K.min() < 0, "without negative numbers a lost sign hides"
    assert not np.array_equal(K, K.T) and not np.array_equal(K, K[::-1, ::-1])
    turned = correlate(x, K[::-1, ::-1])
    i, j = window(source)
    assert np.array_equal(matrix(source, "lying"), K)
    assert np.array_equal(matrix(source, "turned"), K[::-1, ::-1])
    gives = [float(content(t)) for t in parse(source).iter(f"{SVG}text") if t.get("class") == "gives"]
    assert gives == [y[i, j], turned[i, j]] and gives[0] != gives[1]


def window(source):
    """Where the window lies: the lit cells of the input, the lit cell of the output agree."""
    (place,) = np.argwhere(filled(source, "output"))
    lit = np.argwhere(filled(source, "input"))
    assert len(lit) == 9 and np.array_equal(lit[0], place), "window and output entry differ"
    assert np.array_equal(lit[-1], place + 2), "the lit cells are not a square"
    return tuple(place)


def check_weights(source):
    """The weight in the corner of each cell of the window is the one it meets: no flip."""
    i, j = window(source)
    K, cells = matrix(source, "kernel"), list(group(source, "input").iter(f"{SVG}rect"))
    corners = list(group(source, "weights").iter(f"{SVG}text"))
    assert len(corners) == K.size
    for (u, v), weight in np.ndenumerate(K):
        cell = cells[5 * (i + u) + j + v]
        met = [float(content(corner)) for corner in corners
               if covers(cell, float(corner.get("x")) - 1, float(corner.get("y")))]
        assert met == [weight], f"cell ({i + u}, {j + v}) meets {met}, not {weight}"


def check_sum(source):
    """Nine products in their places, three row sums, one total, and the entry of the output."""
    i, j = window(source)
    x, K = matrix(source, "input")[i:i + 3, j:j + 3], matrix(source, "kernel")
    terms = [[float(content(t).strip("()")) for t in g if content(t) != "·"]
             for g in group(source, "sum").iter(f"{SVG}g") if g.get("class") == "term"]
    assert np.array_equal(terms, np.stack([x.ravel(), K.ravel()], axis=1)), "a factor is wrong"
    shown = {kind: [float(content(t)) for t in group(source, "sum").iter(f"{SVG}text")
                    if t.get("class") == kind] for kind in ("row", "total")}
    assert shown["row"] == list((x * K).sum(axis=1)), "a row is added up wrongly"
    assert shown["total"] == [matrix(source, "output")[i, j]] == [sum(shown["row"])]
    assert f"y{i},{j} =" in content(group(source, "sum")), "the sum names another entry"


def pooled(x, dy, kind):
    """Output and gradient of pooling in loops: 2 × 2 windows, stride 2."""
    y, dx = np.zeros((2, 2)), np.zeros((4, 4))
    for (i, j), gradient in np.ndenumerate(dy):
        square = x[2 * i:2 * i + 2, 2 * j:2 * j + 2]
        y[i, j] = square.max() if kind == "max" else square.mean()
        local = square == square.max() if kind == "max" else np.full((2, 2), 0.25)
        assert local.sum() == 1, "a tie"
        dx[2 * i:2 * i + 2, 2 * j:2 * j + 2] += local * gradient
    return y, dx


def check_pooling(source):
    for kind in ("max", "average"):
        x, y, dx, dy = (matrix(source, f"{kind}-{name}") for name in ("x", "y", "dx", "dy"))
        kept, routed = pooled(x, dy, kind)
        assert np.array_equal(y, kept), f"{kind}: the output is wrong"
        assert np.array_equal(dx, routed), f"{kind}: the gradient goes astray"
        for name in ("x", "dx"):
            assert np.array_equal(filled(source, f"{kind}-{name}"), routed != 0), "wrong cells lit"
    assert np.array_equal(matrix(source, "max-x"), matrix(source, "average-x"))
    assert (matrix(source, "max-y") < 0).any(), "no window of negative numbers"


def check_examples(source):
    """The framed window worked out in words agrees with the matrices."""
    x, dy = matrix(source, "max-x"), matrix(source, "max-dy")
    *entries, largest = numbers(source, "max-kept")
    *summands, count, mean = numbers(source, "average-kept")
    windows = x.reshape(2, 2, 2, 2).swapaxes(1, 2).reshape(4, 4)
    (place,) = np.flatnonzero((windows == entries).all(axis=1))
    assert summands == entries and count == len(entries)
    assert largest == max(entries) and mean == np.mean(entries)
    upstream = dy.ravel()[place]
    assert numbers(source, "max-gradient") == [upstream, 0]
    assert numbers(source, "average-gradient") == [upstream, 4, upstream / 4]


def check_network(source):
    """Neurons, lines and shapes are those of a 3–4–3–2 network, and no term is forgotten."""
    sizes, columns = (3, 4, 3, 2), ("a-0", "a-1", "a-2", "a-3")
    counts = [len(list(group(source, name).iter(f"{SVG}circle"))) for name in (*columns, "z-2")]
    assert counts == [*sizes, sizes[2]], f"neurons: {counts}"
    for layer in (1, 2, 3):
        lines = len(list(group(source, f"weights-{layer}").iter(f"{SVG}path")))
        assert lines == sizes[layer - 1] * sizes[layer], f"layer {layer} has {lines} weights"
    heads = re.findall(r"(\d) (?:inputs|neurons|outputs)", content(group(source, "headings")))
    assert [int(head) for head in heads] == list(sizes), "a heading counts wrongly"
    W, a, b = np.ones((3, 4)), np.ones(4), np.ones(3)
    shapes = [content(t) for t in group(source, "shapes").iter(f"{SVG}text") if t.get("font-size") == "13"]
    expected = [(W @ a + b).shape, W.shape, a.shape, b.shape]
    assert [s for s in shapes if s] == [" × ".join(map(str, shape)) for shape in expected]
    neuron = next(t for t in parse(source).iter(f"{SVG}text") if t.get("id") == "neuron")
    terms = "".join(f"Wl1{k} al-1{k} + " for k in range(1, 5))
    assert content(neuron) == f"zl1 = {terms}bl1", "the weighted sum is not complete"


def check_backward(source):
    """To each δ an arrow leads that says all of its equation: what is multiplied, and ⊙ σ′ of its own z."""
    stops = {content(t): float(t.get("x")) for t in group(source, "lanes").iter(f"{SVG}text")
             if content(t).startswith("δ")}
    assert list(stops) == ["δL", "δl", "δl-1"], f"the lane stops at {list(stops)}"
    signs = sorted((-float(t.get("x")), float(t.get("y")), content(t))
                   for t in group(source, "factors").iter(f"{SVG}text"))
    assert [sign for *_, sign in signs] == ["aL - y", "⊙ σ′(zL)", "(Wl+1)T", "⊙ σ′(zl)",
                                            "(Wl)T", "⊙ σ′(zl-1)"], "a factor is missing"
    between = zip(stops.values(), [720, *stops.values()], strict=False)
    for (end, start), (place, *_) in zip(between, signs[::2], strict=True):
        assert end < -place < start, "a factor does not stand at its arrow"
    equations = {content(t) for t in parse(source).iter(f"{SVG}text")}
    assert {"δL = ∂C/∂zL = (aL - y) ⊙ σ′(zL)", "δl = ∂C/∂zl = (Wl+1)T δl+1 ⊙ σ′(zl)",
            "∂C/∂Wl = δl (al-1)T", "∂C/∂bl = δl"} <= equations, "an equation of back-propagation is wrong"


def check_exercise(source):
    """The cell runs as it is drawn, the grader says what is drawn, and it accepts the second line."""
    def lines(name):
        return [content(t).replace("\u00a0", " ") for t in group(source, name).iter(f"{SVG}text")]

    line, *said = lines("accepted")
    [wrong] = [row for row in lines("code") if row.startswith("    return")]
    for written, shown in ((wrong, lines("refused")), (line, said)):
        heard, code = [], "\n".join(lines("code")).replace(wrong, written)
        exec(code, {"np": np, "grade": lambda *given, heard=heard: heard.append(grade(*given))})
        told = [row.rstrip(":") if row.startswith(heard[0].shown) else row
                for row in repr(heard[0]).replace("\u2212", "-").splitlines()]
        assert heard[0].passed == (written == line), "the wrong one passes, or the right one does not"
        shown = [row.removeprefix("▾ ") for row in shown if row != "▸ Hint 1"]
        assert shown == told, "the grader says something else"
    assert "a hidden layer" in said[0], "another exercise"


GENERAL = [parse, check_size, check_named, check_vector, check_self_contained, check_ids, check_card,
           check_text_size, check_contrast, check_palette, check_inside]
SPECIAL = [("convolution", check_convolution), ("convolution", check_weights),
           ("convolution", check_sum), ("pooling", check_pooling), ("pooling", check_examples),
           ("fully_connected", check_network), ("fully_connected", check_backward),
           ("exercise", check_exercise)]


# ---------------------------------------------------------------------- the drawings pass

def test_every_drawing_has_its_script():
    assert NAMES == sorted(path.stem for path in IMAGES.glob("*.svg")) != []


def test_the_scripts_write_the_stored_bytes(redrawn):
    assert [path.name for path in sorted(redrawn.iterdir())] == [f"{name}.svg" for name in NAMES]
    for name in NAMES:      # read as text: a checkout may change the line ends
        assert (redrawn / f"{name}.svg").read_text(encoding="utf-8") == drawing(name)


@pytest.mark.parametrize("check", GENERAL)
@pytest.mark.parametrize("name", NAMES)
def test_drawing(name, check):
    check(drawing(name))


@pytest.mark.parametrize("name, check", SPECIAL)
def test_numbers(name, check):
    check(drawing(name))


# ---------------------------------------------------------------------- each check notices a fault

def entry(source, name, index, number):
    """The drawing with another number in one cell of a grid or one text of a group."""
    start = source.index(f'id="{name}"')
    found = list(re.finditer(r"<text[^>]*>([^<]*)</text>", source[start:]))[index]
    return source[:start + found.start(1)] + number + source[start + found.end(1):]


def swap(old, new):
    return lambda source: source.replace(old, new, 1)


def delete(pattern):
    return lambda source: re.sub(pattern, "", source, count=1, flags=re.DOTALL)


def before_end(markup):
    return swap("</svg>", markup + "</svg>")


def flipped(source):
    """The drawing as it would be if the kernel were turned before it is used."""
    wrong = correlate(matrix(source, "input"), matrix(source, "kernel")[::-1, ::-1])
    for index, number in enumerate(wrong.ravel()):
        source = entry(source, "output", index, f"{number:g}")
    return source


def tint_of(source):
    """The fill of the cells that max pooling keeps."""
    cells = list(group(source, "max-x").iter(f"{SVG}rect"))
    return cells[filled(source, "max-x").ravel().argmax()].get("fill")


FAULTS = [
    (parse, "pooling", swap("</g>", "")),
    (check_size, "pooling", before_end("<g/>" * 15_000)),
    (check_named, "pooling", swap(' role="img"', "")),
    (check_named, "pooling", delete("<title.*?</title>")),
    (check_named, "pooling", delete("<desc.*?</desc>")),
    (check_named, "pooling", swap('aria-labelledby="pooling', 'aria-labelledby="other')),
    (check_named, "pooling", lambda s: re.sub(r"(<desc[^>]*>).*?</desc>", r"\1Pooling.</desc>", s)),
    (check_vector, "pooling", before_end("<image/>")),
    (check_vector, "pooling", before_end("<script>1</script>")),
    (check_vector, "pooling", before_end("<foreignObject/>")),
    (check_self_contained, "pooling", before_end('<g fill="url(https://a.b/c.svg#d)"/>')),
    (check_self_contained, "pooling", before_end('<g href="other.svg"/>')),
    (check_self_contained, "pooling", before_end('<g onload="f()"/>')),
    (check_self_contained, "pooling", lambda s: '<!DOCTYPE svg SYSTEM "a.dtd">' + s),
    (check_ids, "pooling", before_end('<g id="max-x"/>')),
    (check_card, "pooling", swap('fill="#FFFFFF"', 'fill="#111111"')),
    (check_card, "pooling", swap('<rect x="0.5" y="0.5" width="719"', '<rect x="0.5" y="0.5" width="360"')),
    (check_card, "pooling", swap("<g", '<g opacity="0.5"')),
    (check_text_size, "convolution", swap('font-size="12"', 'font-size="11"')),
    (check_text_size, "convolution", swap(' font-size="12"', "")),
    (check_contrast, "pooling",
     lambda s: re.sub('(y="44" font-size="16" fill=)"[^"]*"', rf'\1"{GRADIENT}"', s)),
    (check_contrast, "pooling", lambda s: s.replace(f'fill="{tint_of(s)}"', f'fill="{OUTPUT}"')),
    (check_palette, "pooling", before_end('<g fill="#FFD700"/>')),
    (check_palette, "pooling", before_end('<g stroke="red"/>')),
    (check_inside, "pooling", before_end('<text x="650" y="40" font-size="14">too far to the right</text>')),
    (check_inside, "pooling", before_end('<text x="50" y="640" font-size="14">too low</text>')),
    (check_convolution, "convolution", lambda s: entry(s, "output", 8, "5")),
    (check_convolution, "convolution", flipped),
    (check_convolution, "convolution", lambda s: entry(s, "kernel", 1, "1")),
    (check_convolution, "convolution", lambda s: entry(s, "turned", 0, "1")),
    (check_convolution, "convolution", swap('class="gives">−6<', 'class="gives">6<')),
    (check_weights, "convolution", lambda s: entry(s, "weights", 0, "−1")),
    (check_weights, "convolution", lambda s: entry(entry(s, "weights", 1, "−2"), "weights", 2, "0")),
    (check_sum, "convolution", swap("(−2)</text>", "2</text>")),
    (check_sum, "convolution", swap('class="row">5<', 'class="row">4<')),
    (check_sum, "convolution", swap('class="total">13<', 'class="total">12<')),
    (check_sum, "convolution", lambda s: entry(s, "output", 5, "12")),
    (check_pooling, "pooling", lambda s: entry(s, "max-y", 2, "0")),
    (check_pooling, "pooling", lambda s: entry(s, "max-dx", 0, "8")),
    (check_pooling, "pooling", lambda s: entry(s, "average-y", 1, "1")),
    (check_pooling, "pooling", lambda s: entry(s, "average-dx", 15, "2")),
    (check_pooling, "pooling", lambda s: entry(s, "average-x", 0, "2")),
    (check_examples, "pooling", swap(">12</tspan>", ">8</tspan>")),
    (check_examples, "pooling", swap(">3</tspan>", ">12</tspan>")),
    (check_examples, "pooling", swap("−2 − 6 − 1 − 3", "−2 − 6 − 1 + 3")),
    (check_network, "fully_connected", delete("<circle[^>]*/>")),
    (check_network, "fully_connected", delete('(?<=id="weights-2">\n)<path[^>]*/>')),
    (check_network, "fully_connected", swap("4 neurons", "3 neurons")),
    (check_network, "fully_connected", swap("3 × 4", "4 × 3")),
    (check_network, "fully_connected", swap(">14</tspan>", ">13</tspan>")),
    (check_backward, "fully_connected", delete('<text [^>]*>(?:(?!</text>).)*⊙.*?</text>')),
    (check_backward, "fully_connected", delete('(?<=id="factors">\n)<text .*?</text>')),
    (check_backward, "fully_connected", swap("⊙ ", "· ")),
    (check_backward, "fully_connected", lambda s: s[::-1].replace("⊙", "+", 1)[::-1]),
    (check_backward, "fully_connected", lambda s: re.sub('(id="factors">\n<text x=")[^"]*', r"\g<1>400", s)),
    (check_exercise, "exercise", swap("z**2", "z**3")),
    (check_exercise, "exercise", swap("np.tanh(z)**2", "z**2")),
    (check_exercise, "exercise", lambda s: re.sub("(not yet</text>\n<text[^>]*>)", r"\1Not so: ", s)),
    (check_exercise, "exercise", swap("yours\u00a0(", "mine\u00a0(")),
    (check_exercise, "exercise", lambda s: re.sub(r"Right on all \d+", "Right on all 99", s)),
]


@pytest.mark.parametrize("check, name, fault", FAULTS)
def test_check_notices(check, name, fault):
    whole = drawing(name)
    broken = fault(whole)
    assert broken != whole, "the fault was not planted"
    with pytest.raises(ElementTree.ParseError if check is parse else AssertionError):
        check(broken)


def test_every_check_is_tried_on_a_fault():
    assert {check for check, _, _ in FAULTS} == {*GENERAL, *(check for _, check in SPECIAL)}
