"""Look into a trained network, layer by layer: the viewer of notebooks/07_pytorch_implementation.ipynb."""
import copy
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from ipywidgets import Dropdown, IntSlider, ToggleButtons
from matplotlib.patches import Rectangle

from helpers.explore.explorer import Explore, explore
from helpers.functional.losses import softmax, softmax_cross_entropy_backward
from helpers.nn.layer import Sequential
from helpers.nn.memory import no_grad
from helpers.plotting import digit_pictures as pictures
from helpers.plotting import figures, panes
from helpers.plotting.digit_pictures import short

SIZE = 720, 432
LEFT, MIDDLE, BARS = 14, 190, 570     # where the three columns begin
ROOM = 352, 164                       # of the maps: width, height
SIDE = 160                            # of the digit
TOPS = 40, 254                        # of what stands above, and of the gradients below
OF = {"cost": "cost", "largest score": "score"}


class Look(NamedTuple):
    """One image in a network: the output of each layer, and the gradient with respect to that output."""

    image: np.ndarray                 # (C, H, W)
    image_gradient: np.ndarray        # (C, H, W)
    outputs: list[np.ndarray]         # one for each layer, (C, H, W) or (n,)
    gradients: list[np.ndarray]       # of the same shapes
    p: np.ndarray                     # (K,) probabilities
    label: int
    predicted: int


def look(net: Sequential, image: np.ndarray, label: int, of: str = "cost") -> Look:
    """Forward and backward pass of one image (C, H, W): the output of each layer and its gradient.

    Differentiated is the cross-entropy of the right class, or with of="score" the logit of the predicted
    class. `net` must be in evaluation mode; its gradients grow. Raises ValueError for another `of`.
    """
    if of not in OF.values():
        raise ValueError(f"of: got {of!r}, expected 'cost' or 'score'")
    outputs, grads = [image[None]], []
    for layer in net:
        outputs.append(layer(outputs[-1]))
    z = outputs[-1]
    predicted = int(z.argmax())
    dy = (softmax_cross_entropy_backward(z, np.array([label])) if of == "cost"
          else np.eye(z.shape[1], dtype=z.dtype)[[predicted]])
    for layer in reversed(net):
        grads.append(dy)
        dy = layer.backward(dy)
    return Look(image, dy[0], [y[0] for y in outputs[1:]], [d[0] for d in reversed(grads)], softmax(z)[0],
                int(label), predicted)


def layer_viewer(net: Sequential, images: np.ndarray, labels: np.ndarray) -> Explore:
    """Choose a digit and a layer: the output of the layer, and the gradient with respect to each entry of it.

    `net` is a Sequential of our layers that returns logits (N, K); the viewer looks at a copy of it.
    images (N, C, H, W), C 1 or 3; labels (N,) the right classes. Raises ValueError for others.

    `result` is a dict of arrays: input and input_gradient (C, H, W), output and gradient of the chosen
    layer, probabilities (K,).
    """
    net, images, labels = _checked(net, images, labels)
    sight = lru_cache(maxsize=32)(lambda digit, of: look(net, images[digit], labels[digit], of))
    first = sight(0, "cost")
    options = [(f"{k} {type(layer).__name__}, {_by(y.shape)}", k)
               for k, (layer, y) in enumerate(zip(net, first.outputs, strict=True))]
    start = next((k for k, layer in enumerate(net) if type(layer).__name__ == "ReLU"), 0)
    names = [type(layer).__name__ for layer in net]
    return explore(
        lambda ax, digit, layer, of: _draw(ax, sight(digit, OF[of]), layer, names[layer], of),
        lambda figure: panes.sheet(figure, SIZE),
        lambda digit, layer, of: _describe(digit, sight(digit, OF[of]), layer, names[layer], of), size=SIZE,
        digit=IntSlider(0, 0, len(images) - 1, description="test digit"),
        layer=Dropdown(options=options, value=start, description="after layer"),
        of=ToggleButtons(options=list(OF), description="gradient of the"))


def _checked(net, images, labels):
    if not isinstance(net, Sequential) or not len(net):
        raise ValueError(f"net: got {type(net).__name__}, expected a Sequential of layers of helpers.nn")
    shape = np.shape(images)
    if not isinstance(images, np.ndarray) or len(shape) != 4 or shape[1] not in (1, 3) or not images.size:
        raise ValueError(f"images: got {type(images).__name__} of shape {shape}, expected an array "
                         "(N, 1, H, W) or (N, 3, H, W)")
    labels = np.asarray(labels)
    if labels.shape != images.shape[:1] or labels.dtype.kind not in "iu" or labels.min() < 0:
        raise ValueError(f"labels: got {labels.dtype} of shape {labels.shape}, expected {len(images)} "
                         "classes, one for each image")
    net = copy.deepcopy(net).eval()
    images = images.astype(next((p.value.dtype for p in net.parameters()), images.dtype))
    with no_grad():
        z = net(images[:1])
    if z.ndim != 2 or z.shape[1] <= labels.max():
        raise ValueError(f"net: it returns shape {z.shape} for one image, expected logits (1, K) "
                         f"with K above the largest label, {labels.max()}")
    return net, images, labels


def _by(shape):
    return " × ".join(map(str, shape))


def _maps(values):
    """(n, h, w): a vector is many maps of one number."""
    return values if values.ndim == 3 else values.reshape(-1, 1, 1)


def _draw(ax, one, k, name, of):
    y, dy = one.outputs[k], one.gradients[k]
    symbol = "C" if OF[of] == "cost" else "z"
    _draw_input(ax, one, symbol)
    tiling = pictures.tiles(_maps(y).shape, ROOM)
    few = f", the first {tiling.shown}" * (tiling.shown < len(y))
    _panel(ax, (MIDDLE, TOPS[0]), _maps(y), tiling, f"after {k} {name}{few}", figures.OUTPUT)
    _panel(ax, (MIDDLE, TOPS[1]), _maps(dy), tiling, f"∂{symbol}/∂ each of these", figures.GRADIENT,
           signed=True)
    _mark(ax, _maps(dy), tiling)
    ax.text(BARS - 12, TOPS[0] - 26, "prediction", color=figures.OUTPUT, va="center")
    pictures.draw_bars(ax, (BARS, TOPS[0] - 4), 40, one.p, one.predicted, one.label)
    return {"input": one.image, "input_gradient": one.image_gradient, "output": y, "gradient": dy,
            "probabilities": one.p}


def _draw_input(ax, one, symbol):
    """The digit, and the gradient of each of its pixels; of a coloured image the means and the sums."""
    tiling = pictures.tiles((1, *one.image.shape[1:]), (SIDE, SIDE), most=SIDE)
    _panel(ax, (LEFT, TOPS[0]), one.image.mean(0, keepdims=True), tiling,
           f"the input, {pictures.digit_name(one.label)}", figures.INPUT)
    _panel(ax, (LEFT, TOPS[1]), one.image_gradient.sum(0, keepdims=True), tiling, f"∂{symbol}/∂ input",
           figures.GRADIENT, signed=True)


def _panel(ax, corner, maps, tiling, title, color, *, signed=False):
    """Maps below their title and what their colours mean."""
    pictures.draw_maps(ax, maps, corner, tiling, signed=signed)
    low, high = map(short, pictures.value_range(maps, signed=signed))
    scale = f"black {low}, white {high}"
    if signed:
        scale = f"±{high}, orange is +" if maps.any() else "0 everywhere"
    x, y = corner
    ax.text(x, y - 26, title, color=color, va="center")
    ax.text(x, y - 10, scale, color=figures.NEUTRAL, va="center", fontsize=9)


def _mark(ax, dy, tiling):
    """Frame the map with the largest gradient, above and below, and in it the entry itself."""
    if not dy.any() or (at := largest(dy))[0] >= tiling.shown:
        return
    (left, top), scale = pictures.place(tiling, dy.shape[1:], at[0]), tiling.scale
    for start in TOPS:
        x, y = MIDDLE + left, start + top
        ax.add_artist(Rectangle((x - 2, y - 2), dy.shape[2] * scale + 4, dy.shape[1] * scale + 4, fill=False,
                                ec=figures.GRADIENT, lw=2.2))
        if dy[0].size > 1:
            ax.add_artist(Rectangle((x + at[2] * scale, y + at[1] * scale), scale, scale, fill=False,
                                    ec=figures.GRADIENT, lw=1.4))


def largest(values: np.ndarray) -> tuple[int, ...]:
    """The index of the entry with the largest absolute value."""
    return tuple(map(int, np.unravel_index(np.abs(values).argmax(), values.shape)))


def _describe(digit, one, k, name, of):
    missed = f"which is wrong; {one.label} has {one.p[one.label]:.2f}"
    right = "which is right" if one.predicted == one.label else missed
    subject = "cost" if OF[of] == "cost" else f"score of {one.predicted}"
    return (f"Test digit {digit} is {pictures.digit_name(one.label)}; the network predicts {one.predicted} "
            f"with probability {one.p[one.predicted]:.2f}, {right}. The gradient of the {subject} after "
            f"layer {k}, {name}, is {_where(one.gradients[k])}; at the input it is "
            f"{_where(one.image_gradient)}.")


def _where(dy):
    if not dy.any():
        return "zero everywhere"
    at = largest(dy)
    return f"largest at [{', '.join(map(str, at))}], {short(dy[at])}"
