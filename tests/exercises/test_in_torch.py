"""The truth of each exercise is what torch answers: by autograd from a forward pass, or by its own rule.

Its own are the optimizers, the schedules, gradient clipping and the running statistics.

The questions of notebook 01 have torch's answers in tests/functional/, those of the labs in test_labs.py.
"""
import numpy as np
import pytest
import torch
from test_exercises import EXERCISES
from torch.func import jacrev
from torch.nn import functional as F

from helpers.exercises import diagnosis
from helpers.exercises.grading import find

ASKED = [e.name for e in EXERCISES if e.name.partition(".")[0] not in ("convolution", "labs")]


def gradient(forward, of, dy=None):
    """The gradient of Σ dy·forward(of), by autograd; without dy, of the number forward(of)."""
    given = of.clone().requires_grad_()
    return torch.autograd.grad(forward(given), given, dy)[0]


def layer(x, both):
    """A fully connected layer whose weights and biases stand side by side."""
    return F.linear(x, both[:, :-1], both[:, -1])


def step(delta_next, W_next, z, a_prev):
    """The layer's z is made to be z: its bias column takes up what the weights leave."""
    def forward(both):
        fresh = layer(a_prev, both)
        return F.linear(torch.tanh(fresh + (z - fresh).detach()), W_next)
    return gradient(forward, torch.randn(z.shape[1], a_prev.shape[1] + 1, dtype=z.dtype), delta_next)


def clip(dW, db, max_norm):
    parameters = [torch.nn.Parameter(torch.zeros_like(g)) for g in (dW, db)]
    for parameter, g in zip(parameters, (dW, db), strict=True):
        parameter.grad = g.clone()
    torch.nn.utils.clip_grad_norm_(parameters, max_norm)
    return torch.column_stack([parameter.grad for parameter in parameters])


def momentum(W, dC0, eta, gamma, lam):
    """torch's momentum at rate 1, of a cost that is multiplied by η: then its v is the note's."""
    W = torch.nn.Parameter(W.clone())
    optimizer = torch.optim.SGD([W], lr=1.0, momentum=gamma)
    for samples, rate in zip(dC0, eta, strict=True):
        optimizer.zero_grad()
        C0 = torch.stack([g @ W for g in samples]).mean()      # a cost of those gradients
        (rate * (C0 + lam / 2 * (W**2).sum())).backward()
        optimizer.step()
    return W.detach()


def rates(eta, warmup, T_max, start, eta_min):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=eta)
    up = torch.optim.lr_scheduler.LinearLR(optimizer, start, total_iters=warmup)
    down = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max, eta_min)
    schedule, found = torch.optim.lr_scheduler.SequentialLR(optimizer, [up, down], [warmup]), []
    for _ in range(warmup + T_max + 1):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return torch.tensor(found, dtype=torch.float64)


def adamw(W, dW, eta, betas, eps, lam):
    W = torch.nn.Parameter(W.clone())
    optimizer = torch.optim.AdamW([W], lr=eta, betas=betas, eps=eps, weight_decay=lam)
    for g in dW:
        W.grad = g.clone()
        optimizer.step()
    return W.detach()


def running(x, mean, var, momentum):
    mean, var = mean.clone(), var.clone()
    F.batch_norm(x, mean, var, training=True, momentum=float(momentum))
    return torch.stack([mean, var])


def normalized(dy, x, weight, eps):
    return gradient(lambda x: F.batch_norm(x, None, None, weight, training=True, eps=float(eps)), x, dy)


def residual(dz, V, W, z0):
    def forward(z):
        for V_l, W_l in zip(V, W, strict=True):
            z = z + F.linear(torch.tanh(F.linear(z, V_l)), W_l)
        return z
    return gradient(forward, z0, dz)


def accumulated(gradients, sizes):
    """The mean cost of all samples, where each sample of a mini-batch has the same linear cost."""
    def cost(w):
        return torch.cat([(g @ w).repeat(int(size)) for g, size in zip(gradients, sizes, strict=True)]).mean()
    return gradient(cost, torch.zeros_like(gradients[0]))


def swish(dy, x, beta):
    x, beta = x.clone().requires_grad_(), torch.tensor(beta, dtype=x.dtype, requires_grad=True)
    y = x * torch.sigmoid(beta * x)
    dx, dbeta = torch.autograd.grad((dy * y).sum(), (x, beta))
    return torch.cat([y.detach(), dx, dbeta[None]])


def backward(inputs, slopes, dy):
    v = [torch.zeros((), dtype=slopes.dtype, requires_grad=True)]
    for (i, j), (s, r) in zip(inputs, slopes, strict=True):
        v.append(s * v[i] + r * v[j])
    found = torch.autograd.grad(dy * v[-1], v, allow_unused=True)
    return torch.stack([torch.zeros_like(v[0]).detach() if one is None else one for one in found])


def hessian(X, w, t, v):
    return torch.func.hessian(lambda w: 0.5 * ((torch.tanh(X @ w) - t)**2).sum())(w) @ v


def broadcast(dy, shape):
    return gradient(lambda x: x.expand(dy.shape), dy.new_zeros(shape), dy)


def layer_normalized(dy, x, weight, eps):
    return gradient(lambda x: F.layer_norm(x, weight.shape, weight, eps=float(eps)), x, dy)


def queries(dy, query, key, value):
    return gradient(lambda query: F.scaled_dot_product_attention(query, key, value), query, dy)


def causal(query, key):
    """The weights are the output when the values are the identity."""
    return F.scaled_dot_product_attention(query, key, torch.eye(len(key), dtype=key.dtype), is_causal=True)


def scaled_step(W, dW, scale, eta):
    """torch's GradScaler, which unscales what a cost in float16 gives back, and may leave out the step."""
    W, w16 = torch.nn.Parameter(W.clone()), torch.zeros(len(dW), requires_grad=True, dtype=torch.float16)
    optimizer = torch.optim.SGD([W], lr=eta)
    scaler = torch.amp.GradScaler("cpu", init_scale=float(scale), growth_interval=1000)
    scaler.scale(torch.zeros(()))
    w16.backward((scale * dW).half())
    W.grad = w16.grad.double()
    scaler.step(optimizer)
    return W.detach()


IN_TORCH = {
    "autograd.sum": broadcast, "autograd.backward": backward,
    "autograd.cumsum": lambda dy: gradient(lambda x: x.cumsum(1), torch.zeros_like(dy), dy),
    "autograd.hessian": hessian, "autograd.break_it": broadcast,
    "matrices.rank3": lambda W, x: jacrev(lambda W: W @ x)(W),
    "matrices.batch": lambda dY, X:
        gradient(lambda W: F.linear(X, W, X.new_ones(len(W))), X.new_zeros(dY.shape[1], X.shape[1]), dY),
    "matrices.softmax": lambda da, a: gradient(lambda z: torch.softmax(z, 1), a.log(), da),
    "matrices.trace": lambda X, W: gradient(lambda W: 0.5 * ((X @ W @ W.T - X) ** 2).sum(), W),
    "matrices.break_it": lambda dY, W: gradient(lambda X: X @ W, W.new_zeros(len(dY), len(W)), dY),
    "network.delta_output": lambda z, y:
        gradient(lambda z: z.shape[1] / 2 * F.mse_loss(torch.sigmoid(z), y), z),
    "network.delta_hidden": lambda delta, W, z: gradient(lambda z: F.linear(torch.tanh(z), W), z, delta),
    "network.dW": lambda delta, z: gradient(lambda both: layer(torch.sigmoid(z), both),
                                            z.new_zeros(delta.shape[1], z.shape[1] + 1), delta),
    "network.cross_entropy": lambda z, target: gradient(lambda z: F.cross_entropy(z, target), z),
    "network.break_it": step,
    "optimizers.momentum": momentum, "optimizers.adamw": adamw, "optimizers.break_it": momentum,
    "pathologies.chi": lambda z, sigma_w:
        sigma_w**2 * (gradient(lambda z: torch.tanh(z).sum(), z)**2).mean(),
    "pathologies.running": running, "pathologies.batch_norm": normalized, "pathologies.residual": residual,
    "pathologies.break_it": normalized,
    "pooling.max": lambda x, k, s, p: F.max_pool2d(x, k, s, p),
    "pooling.avg": lambda dy, x_shape, k, s:
        gradient(lambda x: F.avg_pool2d(x, k, s), dy.new_zeros(x_shape), dy),
    "pooling.max_backward": lambda dy, x, k, s: gradient(lambda x: F.max_pool2d(x, k, s), x, dy),
    "pooling.count": lambda dy, x_shape, k, s, p: gradient(
        lambda x: F.avg_pool2d(x, k, s, p, count_include_pad=False), dy.new_zeros(x_shape), dy),
    "pooling.break_it": lambda dy, x, k, s: gradient(lambda x: F.max_pool2d(x, k, s), x, dy),
    "pytorch.accumulate": accumulated,
    "pytorch.block": lambda dy, x, W, b:
        gradient(lambda W: F.max_pool2d(F.relu(F.conv2d(x, W, b)), 2), W, dy),
    "pytorch.swish": swish, "pytorch.break_it": accumulated,
    "steps.clip": clip, "steps.warmup_cosine": rates,
    "transformers.layer_norm": layer_normalized, "transformers.dquery": queries,
    "transformers.causal": causal, "transformers.scaling": scaled_step, "transformers.break_it": queries,
}


def check_truth(name, by_torch):
    """The truth is torch's, and not one of the mistakes is; of a weak test, only the one that is right."""
    def tensor(value):
        return torch.tensor(value) if isinstance(value, np.ndarray) else value
    exercise = find(name)
    truths = [by_torch(*map(tensor, case.values())).numpy() for case in exercise.inputs()]
    assert diagnosis.all_same(exercise.answers(exercise.truth), truths), f"{name}: torch differs"
    accepted = {m.name for m in exercise.mistakes if exercise.gives(m.function, truths)}
    assert accepted == ({"right"} if exercise.holes else set()), f"{name}: torch accepts {accepted}"


def test_torch_is_asked_about_every_exercise():
    assert list(IN_TORCH) == ASKED


@pytest.mark.parametrize("name", IN_TORCH)
def test_the_truth_is_that_of_torch_and_no_mistake_is(name):
    check_truth(name, IN_TORCH[name])


def test_another_torch_is_noticed():
    """The comparison can fail: Adam for AdamW, other rates, a norm for each."""
    def each(dW, db, max_norm):
        return torch.column_stack([clip(dW, 0 * db, max_norm)[:, :-1], clip(0 * dW, db, max_norm)[:, -1]])
    def late(W, dC0, eta, *rest):
        return momentum(W, dC0, eta.flip(0), *rest)
    for name, wrong in (("optimizers.adamw", lambda *given: adamw(*given[:-1], 0.0)), ("steps.clip", each),
                        ("optimizers.momentum", late)):
        with pytest.raises(AssertionError, match="torch differs"):
            check_truth(name, wrong)
