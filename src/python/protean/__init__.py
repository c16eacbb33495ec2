"""Few-shot and generative meta-learning: Protean's runs and task streams in Python.

    import protean

    run = protean.load("runs/maml")
    logits = run.scores(support, labels, query)

    for batch in protean.tasks("configs/omniglot/protonet-5w1s.ini"):
        train_on(batch.support_x, batch.support_y, batch.query_x, batch.query_y)

Arrays are NumPy's, (T, n, ...) for T tasks, and share their memory:
`torch.from_dlpack(batch.support_x)` copies nothing.
"""

import sys as _sys


def _check_torch():
    # One process has one LibTorch: that of PyTorch, where it came first.
    torch = _sys.modules.get("torch")
    if torch is None:
        return
    from ._built import TORCH_VERSION

    if torch.__version__.split("+")[0] != TORCH_VERSION:
        raise ImportError(
            f"protean was built with LibTorch {TORCH_VERSION}, but PyTorch "
            f"{torch.__version__} is loaded; expected the same version"
        )


_check_torch()

from . import onnx  # noqa: E402
from ._protean import Batch, Run, Tasks, build_commit  # noqa: E402
from .classifier import FewShotClassifier  # noqa: E402
from .frames import metrics, summary  # noqa: E402

__all__ = [
    "Batch",
    "FewShotClassifier",
    "Run",
    "Tasks",
    "build_commit",
    "load",
    "metrics",
    "onnx",
    "summary",
    "tasks",
]


def load(run, transductive=False):
    """The run in this folder, with the weights of its newest checkpoint.

    transductive: where queries were normalised by their own moments in training,
    they are so here too, and predictions depend on the other queries. Otherwise
    they are normalised by the moments of the support set, as by `protean adapt`.
    """
    return Run(str(run), transductive)


def tasks(config=(), stream="train", steps=None, **keys):
    """Yields the batches of a configuration's tasks, step after step.

    config: an INI file or several, the last one wins. stream: "train",
    "validation" or "test". steps: which meta-steps, by default those of
    training, or the one of evaluation. keys: values of single keys, with "__"
    for the dot: task__ways=20.

    The tasks are those that `protean train` draws, bit for bit, whatever the
    number of its ranks.
    """
    files = [config] if isinstance(config, (str, bytes)) or hasattr(config, "__fspath__") else config
    values = {key.replace("__", "."): _text(value) for key, value in keys.items()}
    source = Tasks([str(file) for file in files], values, stream)
    if steps is None:
        steps = range(source.steps if stream == "train" else 1)

    def batches():
        for step in steps:
            yield from source.step(step)

    return batches()


def _text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)
