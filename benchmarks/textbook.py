"""Convolution and max-pooling as most course notes write them: indices, np.add.at, a mask. A peer, no helper.

Every window becomes a column (im2col), one matrix product does the rest; on the way back np.add.at puts the
columns where they came from. Plain, right, and what our convolution has to beat.
"""
import numpy as np


def indices(x, kh, kw, p, s):
    """Where each entry of each column stands in the padded image: channel, row, column."""
    _, C, H, W = x.shape
    Ho, Wo = (H + 2 * p - kh) // s + 1, (W + 2 * p - kw) // s + 1
    i = np.tile(np.repeat(np.arange(kh), kw), C)[:, None] + s * np.repeat(np.arange(Ho), Wo)
    j = np.tile(np.arange(kw), kh * C)[:, None] + s * np.tile(np.arange(Wo), Ho)
    k = np.repeat(np.arange(C), kh * kw)[:, None]
    return k, i, j


def im2col(x, kh, kw, p=0, s=1):
    """x (N, C, H, W) → columns (C·kh·kw, Ho·Wo·N)."""
    k, i, j = indices(x, kh, kw, p, s)
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    return padded[:, k, i, j].transpose(1, 2, 0).reshape(x.shape[1] * kh * kw, -1)


def col2im(columns, x, kh, kw, p=0, s=1):
    """Put columns back where they came from; what overlaps is added."""
    N, C, H, W = x.shape
    k, i, j = indices(x, kh, kw, p, s)
    padded = np.zeros((N, C, H + 2 * p, W + 2 * p), x.dtype)
    np.add.at(padded, (slice(None), k, i, j), columns.reshape(C * kh * kw, -1, N).transpose(2, 0, 1))
    return padded[:, :, p:p + H, p:p + W]


def conv(x, W, b, p=0):
    """y (N, O, Ho, Wo), and the columns for the way back."""
    N, _, H, Wd = x.shape
    O, _, kh, kw = W.shape
    columns = im2col(x, kh, kw, p)
    y = W.reshape(O, -1) @ columns + b[:, None]
    return y.reshape(O, H + 2 * p - kh + 1, Wd + 2 * p - kw + 1, N).transpose(3, 0, 1, 2), columns


def conv_backward(dy, x, W, columns, p=0):
    """dx, dW, db."""
    O, _, kh, kw = W.shape
    flat = dy.transpose(1, 2, 3, 0).reshape(O, -1)
    dx = col2im(W.reshape(O, -1).T @ flat, x, kh, kw, p)
    return dx, (flat @ columns.T).reshape(W.shape), dy.sum(axis=(0, 2, 3))


def pool(x):
    """2 × 2 max-pooling: y, and which entry of each window was the largest."""
    N, C, H, W = x.shape
    columns = im2col(x.reshape(N * C, 1, H, W), 2, 2, s=2)
    largest = columns.argmax(axis=0)
    y = columns[largest, np.arange(largest.size)]
    return y.reshape(H // 2, W // 2, N, C).transpose(2, 3, 0, 1), largest


def pool_backward(dy, x, largest):
    """The blame to the largest of each window."""
    N, C, H, W = x.shape
    columns = np.zeros((4, largest.size), x.dtype)
    columns[largest, np.arange(largest.size)] = dy.transpose(2, 3, 0, 1).ravel()
    return col2im(columns, x.reshape(N * C, 1, H, W), 2, 2, s=2).reshape(x.shape)


class Textbook:
    """The network of bench_epoch.py: conv, ReLU, pool, twice; fully connected layers; SGD with momentum."""

    def __init__(self, state, padding):
        """Take copies of the parameters of a state_dict, in its order: W, b of each layer."""
        self.p, self.padding = [value.copy() for value in state.values()], padding
        self.v = [np.zeros_like(value) for value in self.p]

    def step(self, x, y, eta, gamma):
        """One step; the cost before it."""
        a, kept = x, []
        for W, b in zip(self.p[0:4:2], self.p[1:4:2], strict=True):
            z, columns = conv(a, W, b, self.padding)
            pooled, largest = pool(np.maximum(z, 0))
            kept.append((a, columns, z, largest))
            a = pooled
        shape, inputs, last = a.shape, [a.reshape(len(a), -1)], len(self.p) // 2 - 1
        for l in range(2, last + 1):
            z = inputs[-1] @ self.p[2 * l].T + self.p[2 * l + 1]
            inputs.append(z if l == last else np.maximum(z, 0))
        cost, dz = cross_entropy(inputs[-1], y)
        return self._back(dz, inputs, kept, shape, eta, gamma) or cost

    def _back(self, dz, inputs, kept, shape, eta, gamma):
        grads = []
        for l in range(len(self.p) // 2 - 1, 1, -1):
            grads = [dz.T @ inputs[l - 2], dz.sum(axis=0), *grads]
            dz = dz @ self.p[2 * l] * ((inputs[l - 2] > 0) if l > 2 else 1)
        da = dz.reshape(shape)
        for l in (1, 0):
            a, columns, z, largest = kept[l]
            dz = pool_backward(da, np.maximum(z, 0), largest) * (z > 0)
            da, dW, db = conv_backward(dz, a, self.p[2 * l], columns, self.padding)
            grads = [dW, db, *grads]
        for i, g in enumerate(grads):
            self.v[i] = gamma * self.v[i] + g
            self.p[i] = self.p[i] - eta * self.v[i]


def cross_entropy(z, y):
    """The mean cross-entropy of softmax(z), and its gradient."""
    rows, p = np.arange(len(z)), np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    cost = float(-np.log(p[rows, y]).mean())
    p[rows, y] -= 1
    return cost, p / len(z)
