"""Optimizers of parameters against torch.optim: names, defaults, a network that learns, what both refuse."""
import copy
import inspect
import math
from functools import partial

import numpy as np
import pytest
import torch
from checks import refused
from steps import BAD, BOTH, apart, by_hand, case_name, gradients, rates, weights

from helpers.functional import optimizers
from helpers.functional.optimizers import adagrad, adam, adamw, averaged_momentum, heavy_ball, rmsprop, sgd
from helpers.nn import optim
from helpers.nn.layer import Parameter
from helpers.nn.modules import Linear, Sequential, Tanh

torch.set_num_threads(1)
pytestmark = pytest.mark.filterwarnings("error")
T = torch.optim


class HeavyBall(optim.Optimizer, rule=heavy_ball):
    """A rule of one's own becomes an optimizer in one line."""


class AveragedMomentum(optim.Optimizer, rule=averaged_momentum):
    """Another."""


OURS = {optim.SGD: sgd, HeavyBall: heavy_ball, AveragedMomentum: averaged_momentum,
        optim.Adagrad: adagrad, optim.RMSprop: rmsprop, optim.Adam: adam,
        optim.AdamW: adamw}
IN_TORCH = [cls for cls in OURS if hasattr(T, cls.__name__)]


def parameters(dtype=np.float64):
    return [Parameter(W.copy()) for W in weights(dtype)]


def run(optimizer, lrs, dtype):
    """All weights after each step of one of our optimizers."""
    for lr, grads in zip(lrs, gradients(dtype), strict=True):
        optimizer.lr = np.float64(lr)   # as a schedule in NumPy may hand it over
        optimizer.zero_grad()
        for parameter, g in zip(optimizer.parameters, grads, strict=True):
            parameter.add_grad(g)
        optimizer.step()
        yield [parameter.value for parameter in optimizer.parameters]


@BOTH
@pytest.mark.parametrize("cls", OURS, ids=case_name)
def test_an_optimizer_steps_by_its_rule(cls, dtype):
    lrs = rates(0.01)
    ours = list(run(cls(parameters(dtype), lr=1.0), lrs, dtype))
    by_rule = by_hand(cls.rule, dtype, lrs, {})
    assert cls.rule is OURS[cls]
    assert apart(ours, by_rule, dtype) == 0.0     # and every array that was seen kept its numbers


def test_every_rule_has_a_class():
    assert {rule.__name__ for rule in OURS.values()} | {"checked_options"} == set(optimizers.__all__)
    assert {cls.__name__ for cls in IN_TORCH} | {"Optimizer"} == set(optim.__all__)


@pytest.mark.parametrize("cls", IN_TORCH, ids=case_name)
def test_names_order_and_defaults_are_torchs(cls):
    ours = list(inspect.signature(cls).parameters.values())[1:]
    theirs = inspect.signature(getattr(T, cls.__name__)).parameters
    positional = [name for name, p in theirs.items() if p.kind is p.POSITIONAL_OR_KEYWORD and name in
                  [o.name for o in ours]]
    assert [o.name for o in ours] == positional
    assert all(o.default == theirs[o.name].default for o in ours)
    opt = cls(parameters())
    assert opt.options == {o.name: o.default for o in ours} and opt.lr == ours[0].default
    assert {"capturable", "foreach", "maximize", "differentiable", "amsgrad", "fused"} >= set(theirs) - {
        "params", "decoupled_weight_decay", *opt.options}


@pytest.mark.parametrize("cls", IN_TORCH, ids=case_name)
def test_a_network_learns_as_its_twin(cls):
    """Gradients that depend on the weights: what a step does wrong, the next ones see."""
    rng = np.random.default_rng(3)
    net = Sequential(Linear(5, 7, rng=rng, dtype=np.float64), Tanh(), Linear(7, 2, rng=rng, dtype=np.float64))
    twin = torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.Tanh(), torch.nn.Linear(7, 2)).double()
    twin.load_state_dict({name: torch.tensor(value) for name, value in net.state_dict().items()})
    x, y = rng.normal(size=(20, 5)), rng.normal(size=(20, 2))
    options = {"lr": 0.02, "weight_decay": 0.01}
    opt, theirs = cls(net.parameters(), **options), getattr(T, cls.__name__)(twin.parameters(), **options)
    for _ in range(100):
        opt.zero_grad()
        net.backward((net(x) - y) / 20, needs_dx=False)
        opt.step()
        theirs.zero_grad()
        (((twin(torch.tensor(x)) - torch.tensor(y))**2).sum() / 40).backward()
        theirs.step()
    for name, value in twin.state_dict().items():
        np.testing.assert_allclose(net.state_dict()[name], value.numpy(), rtol=1e-10, atol=1e-12)


def test_two_optimizers_decay_weights_and_not_biases():
    """What param_groups are for in torch."""
    ps = parameters()
    decayed, free = optim.AdamW(ps[::2], weight_decay=0.3), optim.AdamW(ps[1::2], weight_decay=0.0)
    decayed.step()
    free.step()
    twins = [torch.nn.Parameter(torch.tensor(W)) for W in weights(np.float64)]
    groups = [{"params": twins[::2], "weight_decay": 0.3}, {"params": twins[1::2], "weight_decay": 0.0}]
    for twin in twins:
        twin.grad = torch.zeros_like(twin)
    T.AdamW(groups).step()
    for ours, theirs in zip(ps, twins, strict=True):
        np.testing.assert_allclose(ours.value, theirs.detach().numpy(), rtol=1e-15)


def test_a_rule_of_ones_own():
    def signs(W, dW, state, lr=0.5, strength="full"):
        return W - lr * np.sign(dW), (state or 0) + 1

    class Signs(optim.Optimizer, rule=signs):
        pass

    p = Parameter(np.array([1.0, -2.0]))
    opt = Signs([p], strength="half")
    p.add_grad(np.array([3.0, -0.1]))
    opt.step()
    opt.lr = 0.25
    opt.step()
    assert p.value.tolist() == [0.25, -1.25] and opt.states == [2] and opt.options["strength"] == "half"


def test_repr_is_short():
    assert repr(optim.SGD(parameters(), 0.1, 0.9)) == (
        "SGD(lr=0.1, momentum=0.9, dampening=0.0, weight_decay=0.0, nesterov=False) of 28 numbers")


# --- what is refused -------------------------------------------------------------------------

LENIENT = {   # what torch takes, some of it to make nonsense later
    "lr": (math.nan, math.inf, True), "momentum": (math.nan,), "weight_decay": (math.nan,),
    "eps": (math.inf,), "alpha": (1.01,), "betas": ((0.9, 0.99, 0.999), (True, 0.9)),
    "dampening": (math.nan, "no"), "nesterov": (1, "yes", None), "centered": (1, 0.5),
}


def is_lenient(name, value):
    return any(value is allowed or value == allowed for allowed in LENIENT.get(name, ()))


@pytest.mark.parametrize("cls", OURS, ids=case_name)
def test_odd_options_are_refused(cls):
    """By the class, by the rule, and when the rate is changed; torch refuses them too, or makes nonsense."""
    W, tried = weights(np.float64)[0], 0
    for name in list(inspect.signature(cls).parameters)[1:]:
        for value in BAD[name]:
            said = refused(partial(cls, parameters(), **{name: value}), name)
            assert refused(partial(cls.rule, W, W, None, **{name: value}), name) == said
            tried += 1
    assert tried > 5
    opt = cls(parameters(), lr=0.5)
    with pytest.raises(ValueError, match="lr: got -1, expected a number of at least 0"):
        opt.lr = -1
    assert opt.lr == 0.5
    opt.options["lr"] = -1      # past the check, but not past the next step
    refused(opt.step, "lr")
    with pytest.raises(AttributeError):
        opt.learning_rate = 0.1


@pytest.mark.parametrize("cls", IN_TORCH, ids=case_name)
def test_torch_refuses_them_too(cls):
    twin = [torch.nn.Parameter(torch.ones(2))]
    for name in list(inspect.signature(cls).parameters)[1:]:
        for value in BAD[name]:
            if not is_lenient(name, value):
                with pytest.raises((ValueError, TypeError, IndexError)):
                    getattr(T, cls.__name__)(twin, **{name: value})


@pytest.mark.parametrize("options", [{"momentum": 0.0}, {"momentum": 0.9, "dampening": 0.1}], ids=str)
def test_nesterov_needs_a_momentum_and_no_dampening(options):
    refused(lambda: optim.SGD(parameters(), nesterov=True, **options), "nesterov")
    refused(lambda: sgd(np.ones(2), np.ones(2), None, nesterov=True, **options), "nesterov")
    with pytest.raises(ValueError):
        T.SGD([torch.nn.Parameter(torch.ones(2))], nesterov=True, **options)


@pytest.mark.parametrize("name", ["amsgrad", "maximize", "foreach", "learning_rate"])
def test_options_that_are_not_here_are_refused(name):
    said = refused(lambda: optim.Adam(parameters(), **{name: True}), name)
    assert "lr, betas, eps, weight_decay" in said
    with pytest.raises(TypeError, match=name):
        adam(np.ones(2), np.ones(2), None, **{name: True})


def test_what_is_no_list_of_parameters_is_refused():
    ps = parameters()
    net = Sequential(Linear(2, 2, rng=np.random.default_rng(0)))
    for odd in (ps[0], ps[0].value, [p.value for p in ps], net, net[0], [*ps, None], "W", 3):
        refused(lambda odd=odd: optim.SGD(odd), "parameters")
    assert "none" in refused(lambda: optim.SGD(iter([])), "parameters")
    assert "twice" in refused(lambda: optim.SGD([*ps, ps[0]]), "parameters")


def test_a_step_that_fails_steps_nothing():
    ps = parameters()
    opt, before = optim.Adam(ps), [p.value for p in ps]
    opt.step()
    kept, states = [p.value for p in ps], copy.deepcopy(opt.states)
    ps[-1].grad = np.ones(5)
    refused(opt.step, "dW")
    assert all(p.value is k for p, k in zip(ps, kept, strict=True)) and str(opt.states) == str(states)
    assert all(p.value is not b for p, b in zip(ps, before, strict=True))
