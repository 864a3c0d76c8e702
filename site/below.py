"""Below a cell of a notebook that needs PyTorch: what the cells after it need of it, made without.

By a line of that cell. Comparisons with PyTorch are left out, and so is what only it could compute.
"""
BELOW = {
    "delta[l] = W[l + 1].T @ delta[l + 1] * sigmoid_prime(z[l])      # BP2": """\
for l in (3, 2, 1):
    delta[l] = W[l + 1].T @ delta[l + 1] * sigmoid_prime(z[l])""",
    "first = [torch.tensor(p[l].squeeze()) for l in W for p in (W, b)]": """\
before, orders, costs = accuracy(W, b), [], []
for _ in range(40):
    orders += batches(rng, len(X_train), 16)
    costs += [step(W, b, rows) for rows in orders[len(costs):]]""",
    "before = torch.nn.utils.clip_grad_norm_(params, 2.0).item()": """\
clipped, before = clip_grad_norm(grads, 2.0)""",
    "small_start = small.state_dict()": """\
small_start = small.state_dict()""",
    "costs = our_training(trained, sgd(trained))": """\
trained = copy.deepcopy(net)
trained.load_state_dict(start)
costs = our_training(trained, sgd(trained))""",
    "values = [*map(np.random.default_rng(7).standard_normal, shapes.values())]": """\
shapes = [(3 * E, E), 3 * E, (E, E), E, (5, E), 5, (E, 5), E, E, E, E, E]
values = [*map(np.random.default_rng(7).standard_normal, shapes)]""",
    "twin = transformer_twin(new_net(np.random.default_rng(0)).state_dict(), H)": """\
net = new_net(np.random.default_rng(0))
rng, optimizer = np.random.default_rng(1), Adam(net.parameters(), lr=3e-3)
for _ in range(150):
    optimizer.zero_grad()
    step(net, *questions(rng, 32))
    optimizer.step()""",
}
SAID = "# Only in the browser: what the cells below need of the one above, without PyTorch.\n"
