"""Optimizers with the names of torch.optim: they hold parameters and update them by a rule.

    opt = Adam(net.parameters(), lr=1e-3)
    opt.zero_grad()
    net.backward(softmax_cross_entropy_backward(net(x), y), needs_dx=False)
    opt.step()
    opt.lr = 1e-4                                     # from the next step on, such as a schedule says

The rules themselves are in helpers/functional/optimizers.py. An option of torch's that is missing here, such
as amsgrad or maximize, is refused. Two things differ from torch: options are attributes of the whole
optimizer, not of a group, and a gradient of zeros counts as a gradient, where torch skips a parameter
whose grad is None.
"""
import inspect
from collections.abc import Callable, Iterable

from helpers.functional import optimizers
from helpers.functional.optimizers import checked_options
from helpers.nn.layer import Parameter

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop"]


class Optimizer:
    """One update rule for many Parameters, each with its own state.

    To decay weights and not biases, make two optimizers, one for each list of parameters. A rule of your own,
    rule(W, dW, state, lr=…) -> (W, state) with state None at first, becomes an optimizer in one line:

        class Mine(Optimizer, rule=rule): pass
    """

    def __init_subclass__(cls, *, rule: Callable) -> None:
        """Keep the rule, and show its options as those of the class."""
        first = inspect.Parameter("parameters", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        _, _, _, *options = inspect.signature(rule).parameters.values()
        cls.rule, cls.__signature__ = staticmethod(rule), inspect.Signature([first, *options])

    def __init__(self, parameters: Iterable[Parameter], *values: object, **options: object) -> None:
        """Step `parameters`, such as net.parameters(); the options have torch's order and defaults.

        Raises ValueError for what are no Parameters, or one twice, and for an unknown or a bad option.
        """
        known = list(self.__signature__.parameters)[1:]
        for name in (name for name in options if name not in known):
            raise ValueError(f"{name}: got {options[name]!r}, but {type(self).__name__} here has no such "
                             f"option; expected one of {', '.join(known)}")
        bound = self.__signature__.bind(parameters, *values, **options)
        bound.apply_defaults()
        self.options = checked_options({name: bound.arguments[name] for name in known})
        self.parameters = _listed(parameters)
        self.states = [None] * len(self.parameters)

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse a name that would change nothing: opt.learning_rate = 0.1 is an AttributeError."""
        if name not in ("lr", "options", "parameters", "states"):
            raise AttributeError(f"{name}: got {value!r}, {type(self).__name__} has none; expected lr")
        super().__setattr__(name, value)

    @property
    def lr(self) -> float:
        """The learning rate η."""
        return self.options["lr"]

    @lr.setter
    def lr(self, value: float) -> None:
        """Change it from the next step on. Raises ValueError for what is no number of at least 0."""
        self.options = checked_options({**self.options, "lr": value})

    def step(self) -> None:
        """Update every parameter once. Each gets a new array; a reference to the old one keeps its numbers.

        Raises ValueError, and steps none of them, when a grad is not like its value.
        """
        step, options = getattr(self.rule, "step", self.rule), checked_options(self.options)
        steps = [step(parameter.value, parameter.grad, state, **options)
                 for parameter, state in zip(self.parameters, self.states, strict=True)]
        for i, (parameter, (value, state)) in enumerate(zip(self.parameters, steps, strict=True)):
            parameter.value, self.states[i] = value, state

    def zero_grad(self) -> None:
        """Set all gradients to zero; the states of the rule stay."""
        for parameter in self.parameters:
            parameter.zero_grad()

    def __repr__(self) -> str:
        """The options, and the number of learned numbers."""
        options = ", ".join(f"{name}={value}" for name, value in self.options.items())
        return f"{type(self).__name__}({options}) of {sum(p.value.size for p in self.parameters)} numbers"


class SGD(Optimizer, rule=optimizers.sgd):
    """Gradient descent, with torch's momentum: W ← W − η·v, v ← γ·v + g."""


class Adagrad(Optimizer, rule=optimizers.adagrad):
    """Adagrad: for each entry, the gradient over the root of the sum of all its squares."""


class RMSprop(Optimizer, rule=optimizers.rmsprop):
    """RMSprop: for each entry, the gradient over the root of the moving average of its squares."""


class Adam(Optimizer, rule=optimizers.adam):
    """Adam: moving average of the gradient over the root of that of its squares, both bias-corrected."""


class AdamW(Optimizer, rule=optimizers.adamw):
    """AdamW: Adam with decoupled weight decay, which does not enter the moving averages."""


def _listed(parameters):
    """The Parameters as a list: a generator, such as net.parameters(), gives them once."""
    found = list(parameters) if isinstance(parameters, Iterable) else [parameters]
    for i, parameter in enumerate(found):
        if isinstance(parameters, Parameter) or not isinstance(parameter, Parameter):
            raise ValueError(f"parameters: got a {type(parameter).__name__} at place {i}, expected a list of "
                             "Parameters, such as net.parameters()")
    if not found:
        raise ValueError("parameters: got none, expected at least one Parameter; net.parameters() gives them "
                         "once, each optimizer needs a new call")
    if len({id(parameter) for parameter in found}) < len(found):
        raise ValueError("parameters: got the same one twice, expected each once, for it would step twice")
    return found
