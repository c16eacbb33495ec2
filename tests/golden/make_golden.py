#!/usr/bin/env python3
"""Meta-gradients by torch.func in float64, for golden_test.cpp.

    pip install torch==2.11.0 numpy
    python3 make_golden.py > meta_gradients.json

Inputs come from formulas that both sides can compute, so that only results are
stored. Written against the published formulas, not against the C++ code.
"""
import json

import torch
import torch.nn.functional as F
from torch.func import grad, vmap

torch.set_default_dtype(torch.float64)


def wave(n, rate, offset):
    """sin(rate * (i + 1) + offset), i = 0 ... n-1"""
    return torch.sin(rate * (torch.arange(n) + 1) + offset)


CONV = dict(filters=4, side=16, ways=3, shots=1, queries=2, tasks=2)
MLP = dict(hidden=(12, 9), support=6, queries=5, tasks=3)


def conv_layout(pool):
    f, side, layout, channels = CONV["filters"], CONV["side"], [], 1
    for block in range(1, 5):
        layout += [(f"block{block}.conv.weight", (f, channels, 3, 3)),
                   (f"block{block}.norm.scale", (f,)), (f"block{block}.norm.shift", (f,))]
        channels, side = f, side // 2
    features = f * side * side if pool == "max" else f
    return layout + [("head.weight", (CONV["ways"], features)), ("head.bias", (CONV["ways"],))]


def mlp_layout():
    layout, width = [], 1
    for i, h in enumerate(MLP["hidden"], 1):
        layout += [(f"layer{i}.weight", (h, width)), (f"layer{i}.bias", (h,))]
        width = h
    return layout + [("head.weight", (1, width)), ("head.bias", (1,))]


def split(flat, layout):
    out, at = {}, 0
    for name, shape in layout:
        n = torch.Size(shape).numel()
        out[name] = flat[at:at + n].reshape(shape)
        at += n
    return out


def conv4(flat, x, pool):
    p, h = split(flat, conv_layout(pool)), x
    for b in range(1, 5):
        h = F.conv2d(h, p[f"block{b}.conv.weight"], stride=1 if pool == "max" else 2, padding=1)
        m = h.mean((0, 2, 3), keepdim=True)
        v = ((h - m) ** 2).mean((0, 2, 3), keepdim=True)
        h = (h - m) / torch.sqrt(v + 1e-5)
        h = h * p[f"block{b}.norm.scale"].view(1, -1, 1, 1) + p[f"block{b}.norm.shift"].view(1, -1, 1, 1)
        h = F.relu(h)
        if pool == "max":
            h = F.max_pool2d(h, 2)
    h = h.mean((2, 3)) if pool == "stride" else h.flatten(1)
    return h @ p["head.weight"].T + p["head.bias"]


def mlp(flat, x):
    p, h = split(flat, mlp_layout()), x
    for i in range(1, len(MLP["hidden"]) + 1):
        h = F.relu(h @ p[f"layer{i}.weight"].T + p[f"layer{i}.bias"])
    return h @ p["head.weight"].T + p["head.bias"]


def case(name, net, loss, theta, data, steps, lr, first_order=False):
    def query_loss(theta, sx, sy, qx, qy):
        phi = theta
        for _ in range(steps):
            g = grad(lambda p: loss(net(p, sx), sy))(phi)
            phi = phi - lr * (g.detach() if first_order else g)
        return loss(net(phi, qx), qy)

    losses = vmap(query_loss, (None, 0, 0, 0, 0))(theta, *data)
    g = vmap(grad(query_loss), (None, 0, 0, 0, 0))(theta, *data).sum(0)
    return dict(name=name, steps=steps, lr=lr, first_order=first_order,
                losses=losses.tolist(), gradient_norm=g.norm().item(), gradient=g.tolist())


def conv_cases():
    c = CONV
    s, q = c["ways"] * c["shots"], c["ways"] * c["queries"]
    img = (1, c["side"], c["side"])
    size = c["side"] ** 2
    data = (wave(c["tasks"] * s * size, 0.7310, 0.1).reshape(c["tasks"], s, *img),
            torch.arange(c["ways"]).repeat_interleave(c["shots"]).repeat(c["tasks"], 1),
            wave(c["tasks"] * q * size, 0.5170, 0.2).reshape(c["tasks"], q, *img),
            torch.arange(c["ways"]).repeat_interleave(c["queries"]).repeat(c["tasks"], 1))
    for pool in ("max", "stride"):
        n = sum(torch.Size(shape).numel() for _, shape in conv_layout(pool))
        theta = 0.5 * wave(n, 1.9170, 0.3)
        for steps, first_order in ((1, False), (2, False), (5, False), (2, True)):
            yield case(f"conv4-{pool}", lambda p, x: conv4(p, x, pool), F.cross_entropy, theta, data, steps, 0.1,
                       first_order)


def mlp_cases():
    c = MLP
    n = sum(torch.Size(shape).numel() for _, shape in mlp_layout())
    theta = 0.5 * wave(n, 1.9170, 0.3)
    t, s, q = c["tasks"], c["support"], c["queries"]
    data = tuple(wave(t * m, rate, offset).reshape(t, m, 1)
                 for m, rate, offset in ((s, 0.731, 0.1), (s, 0.417, 0.4), (q, 0.517, 0.2), (q, 0.613, 0.5)))
    for steps, first_order in ((1, False), (5, False), (2, True)):
        yield case("mlp", mlp, F.mse_loss, theta, data, steps, 0.05, first_order)


if __name__ == "__main__":
    print(json.dumps(dict(torch=torch.__version__, cases=[*conv_cases(), *mlp_cases()]), indent=0))
