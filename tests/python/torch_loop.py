"""torch_loop.py CONFIG: PyTorch trains prototypical networks on Protean's tasks, by hand.

    PYTHONPATH=build/python python3 tests/python/torch_loop.py configs/omniglot/protonet-5w1s.ini

With torch 2.11.0 from PyPI, 300 stacks of tasks, one core, about a minute: 94.1 % on
60 tasks of held-out alphabets (5-way 1-shot, the batch's moments).
"""

import sys

import torch

import protean


def block(inputs):
    return [torch.nn.Conv2d(inputs, 32, 3, padding=1), torch.nn.BatchNorm2d(32), torch.nn.ReLU(), torch.nn.MaxPool2d(2)]


net = torch.nn.Sequential(*block(1), *block(32), *block(32), *block(32), torch.nn.Flatten())
optimiser = torch.optim.Adam(net.parameters(), 2e-3)


def task_loss(batch, t):
    sx, sy, qx, qy = (
        torch.from_dlpack(a[t]) for a in (batch.support_x, batch.support_y, batch.query_x, batch.query_y)
    )
    support, query = net(torch.cat([sx, qx])).split([len(sx), len(qx)])
    prototypes = torch.stack([support[sy == c].mean(0) for c in range(batch.ways)])
    logits = -torch.cdist(query, prototypes) ** 2
    return torch.nn.functional.cross_entropy(logits, qy), (logits.argmax(1) == qy).float().mean()


def results(batch):
    return [task_loss(batch, t) for t in range(len(batch.indices))]


for batch in protean.tasks(sys.argv[1], steps=range(150), task__meta_batch=2):
    optimiser.zero_grad()
    losses = [loss for loss, _ in results(batch)]
    (sum(losses) / len(losses)).backward()
    optimiser.step()

with torch.no_grad():
    test = protean.tasks(sys.argv[1], stream="test", eval__tasks=60, eval__queries=11)
    right = [accuracy.item() for batch in test for _, accuracy in results(batch)]
print(f"test accuracy {100 * sum(right) / len(right):.1f} % on {len(right)} tasks, PyTorch {torch.__version__}")
