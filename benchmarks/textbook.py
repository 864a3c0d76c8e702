"""The convolution and the pooling that courses teach: im2col with arrays of indices, col2im with np.add.at.

Plain on purpose, as a peer for the benchmarks. Stride 1, square kernels; the pooling takes 2 × 2 pixels.
"""
import numpy as np


def indices(C, H, W, k, p):
    """Channel, row and column of every entry of every window of the padded image."""
    Ho, Wo = H + 2 * p - k + 1, W + 2 * p - k + 1
    channel = np.repeat(np.arange(C), k * k).reshape(-1, 1)
    row = np.tile(np.repeat(np.arange(k), k), C).reshape(-1, 1) + np.repeat(np.arange(Ho), Wo).reshape(1, -1)
    column = np.tile(np.arange(k), k * C).reshape(-1, 1) + np.tile(np.arange(Wo), Ho).reshape(1, -1)
    return channel, row, column


def im2col(x, k, p):
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    channel, row, column = indices(*x.shape[1:], k, p)
    cols = padded[:, channel, row, column]                    # (N, C·k·k, Ho·Wo)
    return cols.transpose(1, 2, 0).reshape(cols.shape[1], -1)


def col2im(cols, shape, k, p):
    N, C, H, W = shape
    padded = np.zeros((N, C, H + 2 * p, W + 2 * p), cols.dtype)
    channel, row, column = indices(C, H, W, k, p)
    dcols = cols.reshape(C * k * k, -1, N).transpose(2, 0, 1)
    np.add.at(padded, (slice(None), channel, row, column), dcols)
    return padded[:, :, p:p + H, p:p + W]


class Conv2d:
    def __init__(self, W, b, padding):
        self.values, self.padding = [W, b], padding

    def forward(self, x):
        (W, b), (N, _, H, Wd), p = self.values, x.shape, self.padding
        O, _, k, _ = W.shape
        self.shape, self.cols = x.shape, im2col(x, k, p)
        y = W.reshape(O, -1) @ self.cols + b[:, None]
        return y.reshape(O, H + 2 * p - k + 1, Wd + 2 * p - k + 1, N).transpose(3, 0, 1, 2)

    def backward(self, dy):
        W, _ = self.values
        flat = dy.transpose(1, 2, 3, 0).reshape(len(W), -1)
        self.grads = [(flat @ self.cols.T).reshape(W.shape), dy.sum(axis=(0, 2, 3))]
        return col2im(W.reshape(len(W), -1).T @ flat, self.shape, W.shape[2], self.padding)


class MaxPool2d:
    values = ()

    def forward(self, x):
        N, C, H, W = x.shape
        self.windows = x.reshape(N, C, H // 2, 2, W // 2, 2)
        self.y = self.windows.max(axis=(3, 5))
        return self.y

    def backward(self, dy):
        mask = self.windows == self.y[:, :, :, None, :, None]       # ties divide the gradient
        divided = dy[:, :, :, None, :, None] * mask / mask.sum(axis=(3, 5), keepdims=True)
        N, C, H, _, W, _ = mask.shape
        return divided.astype(dy.dtype).reshape(N, C, 2 * H, 2 * W)


class ReLU:
    values = ()

    def forward(self, x):
        self.mask = x > 0
        return x * self.mask

    def backward(self, dy):
        return dy * self.mask


class Flatten:
    values = ()

    def forward(self, x):
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dy):
        return dy.reshape(self.shape)


class Linear:
    def __init__(self, W, b):
        self.values = [W, b]

    def forward(self, x):
        self.x = x
        return x @ self.values[0].T + self.values[1]

    def backward(self, dy):
        self.grads = [dy.T @ self.x, dy.sum(axis=0)]
        return dy @ self.values[0]


def cross_entropy(z, y):
    """The cost and its gradient."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    a = e / e.sum(axis=1, keepdims=True)
    cost = -np.log(a[np.arange(len(y)), y]).mean()
    a[np.arange(len(y)), y] -= 1
    return cost, a / len(y)


def step(layers, speeds, x, y, lr, momentum):
    """One step of gradient descent with momentum; the cost before it."""
    for layer in layers:
        x = layer.forward(x)
    cost, dy = cross_entropy(x, y)
    for layer in reversed(layers):
        dy = layer.backward(dy)
    for layer in layers:
        for j, value in enumerate(layer.values):
            v = speeds[layer, j] = momentum * speeds.get((layer, j), 0) + layer.grads[j]
            value -= lr * v
    return cost
