"""Make each explorer in Chinese, move its sliders to their ends, and name the English words that are left.

Run in a process of its own, with GRADIENTS_LANGUAGE=zh; an argument is a folder for the pictures. It prints,
as JSON, for each explorer the texts with English in them.
"""
import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "widgets"), str(HERE.parents[1] / "tools")]

import sweep  # noqa: E402
import test_convolution_widgets  # noqa: E402
import test_derivative_viewer  # noqa: E402
import test_network_widgets  # noqa: E402
import test_pooling_widgets  # noqa: E402
from test_pytorch_widgets import T, Z  # noqa: E402

from helpers.language.catalogue import WORD  # noqa: E402
from helpers.plotting import grids, lettering  # noqa: E402
from helpers.widgets.backprop import backprop_stepper  # noqa: E402
from helpers.widgets.convolution import backward_stepper, convolution_explorer  # noqa: E402
from helpers.widgets.decision_boundary import decision_boundary  # noqa: E402
from helpers.widgets.derivative_viewer import derivative_viewer  # noqa: E402
from helpers.widgets.graph_stepper import graph_stepper  # noqa: E402
from helpers.widgets.landscape import landscape_explorer  # noqa: E402
from helpers.widgets.layer_viewer import layer_viewer  # noqa: E402
from helpers.widgets.momentum_conventions import momentum_conventions  # noqa: E402
from helpers.widgets.overfitting import overfitting_explorer  # noqa: E402
from helpers.widgets.pathology import pathology_explorer  # noqa: E402
from helpers.widgets.phase_diagram import phase_diagram  # noqa: E402
from helpers.widgets.pooling import pooling_explorer, pooling_stepper  # noqa: E402
from helpers.widgets.remedy import remedy_bench  # noqa: E402
from helpers.widgets.residual_stack import residual_stack_explorer  # noqa: E402
from helpers.widgets.wrong_digits import wrong_digits  # noqa: E402

# What is the same in Chinese.
NAMES = set("""
    relu ReLU leaky LeakyReLU elu ELU gelu GELU silu SiLU tanh sigmoid softmax SGD Adam AdaGrad RMSProp
    Nesterov Beale Rosenbrock Xavier He XOR Sobel LayerNorm RMSNorm Linear Flatten Conv MaxPool BP BN VJP
    torch NumPy ravel max argmax norm pre post yy exp log ln dropout float""".split())

MAKERS = (
    convolution_explorer, (backward_stepper, test_convolution_widgets.by_torch), pooling_explorer,
    (pooling_stepper, test_pooling_widgets.by_torch), (derivative_viewer, test_derivative_viewer.by_torch),
    (backprop_stepper, test_network_widgets.by_torch), decision_boundary, phase_diagram, landscape_explorer,
    momentum_conventions, overfitting_explorer, pathology_explorer, remedy_bench,
    (layer_viewer, T.net, T.images, T.labels), (wrong_digits, T.images, T.labels, Z), graph_stepper,
    residual_stack_explorer)


def english(text):
    """The English words of a text; code between backticks, names and functions of a variable are none."""
    text = re.sub(r"`[^`]*`|\w*_\w*|[a-z]\w*\(", "", text)
    return [word for word in WORD.findall(text) if word not in NAMES]


def watched(module, texts):
    """Note the words that a module draws from now on."""
    draws = module.outlined

    def draw(words, *font):
        texts.add(words)
        return draws(words, *font)
    module.outlined = draw


def names(controls):
    """The labels of controls and of what there is to choose."""
    for one in controls:
        yield re.sub("<[^>]*>", "", one.get("label", ""))
        yield from map(str, one.get("options", ()))
        yield from names(one.get("parts", ()))


def main(folder=None):
    """Print the texts with English in them, for each explorer; its first picture goes into the folder."""
    drawn, found = set(), {}
    for module in (lettering, grids):
        watched(module, drawn)
    for maker, *given in (one if isinstance(one, tuple) else (one,) for one in MAKERS):
        drawn.clear()
        explorer = maker(*given)
        if folder:
            Path(folder, f"{maker.__name__}.png").write_bytes(explorer.png())
        said = {explorer.sentence, *names(explorer.described())}
        for name, control in explorer.controls.items():
            values = sweep.settings(control)
            for value in {values[0], values[-1]} if explorer.advance else values:      # which trains for each
                explorer.set(**{name: value})
                said.add(explorer.sentence)
            explorer.reset()
        found[maker.__name__] = {text: words for text in sorted(said | drawn) if (words := english(text))}
    print(json.dumps(found, ensure_ascii=False))


main(*sys.argv[1:])
