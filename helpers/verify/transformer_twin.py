"""The twin in torch of a small causal transformer: torch's own blocks, with the same numbers.

It has the layers that notebooks/09_networks_of_today.ipynb puts into a Sequential: Embedding, Position, two
residual branches for each block, LayerNorm, Linear. Only the names of the parameters differ.
"""
from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

BRANCHES = {"0.0": "norm1", "0.1": "self_attn", "1.0": "norm2", "1.1": "linear1", "1.3": "linear2"}


class TransformerTwin(nn.Module):
    """Tokens (N, T) → logits (N, T, classes): pre-norm TransformerEncoderLayers behind a causal mask."""

    def __init__(self, words: int, places: int, E: int, heads: int, hidden: int, depth: int,
                 classes: int) -> None:
        """Make the layers, float64, without dropout."""
        super().__init__()
        self.words, self.places = nn.Embedding(words, E), nn.Embedding(places, E)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(E, heads, hidden, 0.0, "gelu", batch_first=True, norm_first=True)
            for _ in range(depth))
        self.norm, self.head = nn.LayerNorm(E), nn.Linear(E, classes)
        self.double()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits at every place."""
        T = x.shape[1]
        future = torch.ones(T, T, dtype=torch.bool).triu(1)
        x = self.words(x) + self.places.weight[:T]
        for block in self.blocks:
            x = block(x, src_mask=future)
        return self.head(self.norm(x))


def transformer_twin(state: Mapping[str, np.ndarray], heads: int) -> TransformerTwin:
    """The twin of a Sequential of ours with this state_dict(), as above.

    Raises ValueError where the parameters are not those of such a network.
    """
    names = list(state)
    try:
        last = int(names[-1].split(".")[0])
        renamed = {_renamed(name, last): value for name, value in state.items()}
        (words, E), hidden = renamed["words.weight"].shape, len(renamed["blocks.0.linear1.bias"])
        sizes = words, len(renamed["places.weight"]), E, heads, hidden, (last - 3) // 2
        classes, fits = len(renamed["head.bias"]), E % heads == 0
    except (KeyError, IndexError, ValueError):
        fits = False
    twin = TransformerTwin(*sizes, classes) if fits else None
    if twin is None or twin.state_dict().keys() != renamed.keys():
        raise ValueError(f"state: got {', '.join(names) or 'nothing'}; expected the parameters of Embedding, "
                         "Position, two Residuals for each block, LayerNorm and Linear, and heads that "
                         "divide their width")
    twin.load_state_dict({name: torch.tensor(value) for name, value in renamed.items()})
    return twin


def _renamed(name, last):
    """The twin's name of a parameter of ours, such as blocks.0.norm1.weight for 2.0.weight."""
    first, rest = name.split(".", 1)
    ends = {0: "words", 1: "places", last - 1: "norm", last: "head"}
    if int(first) in ends:
        return f"{ends[int(first)]}.{rest}"
    block, branch = divmod(int(first) - 2, 2)
    layer, rest = rest.split(".", 1)
    return f"blocks.{block}.{BRANCHES[f'{branch}.{layer}']}.{rest}"
