"""Runs as ONNX graphs, for other programs and devices. Needs the package onnx."""

from pathlib import Path

import numpy as np

from ._protean import Run

_OPSET = 17
_METRIC = ("protonet", "matching")


def encoder(run, path):
    """Writes run.encode() as a graph: x (n, C, H, W) -> features (n, f)."""
    run = _opened(run)
    run.encode(np.zeros((1, *run.input_shape), np.float32))  # refuses where it has none
    graph = _Graph(run)
    features = graph.body("x", fixed=graph.moments())
    graph.write(path, {"x": run.input_shape}, {}, features, "features", ["n", "f"])


def classifier(run, path):
    """Writes run.scores() of a metric learner as a graph.

    support (k, C, H, W), labels (k,) int64, query (n, C, H, W) -> scores (n, ways),
    for any number of classes and examples.
    """
    run = _opened(run)
    if run.learner not in _METRIC:
        raise ValueError(
            f"{run.dir}: learner.name = {run.learner} adapts by more than features; "
            f"expected one of: {', '.join(_METRIC)}"
        )
    if run.config.get("learner.full_context") == "true":
        raise ValueError(f"{run.dir}: learner.full_context = true reads the support set one by one; expected false")
    graph = _Graph(run)
    fixed, seen = graph.moments(), []
    support = graph.body("support", fixed, seen)
    query = graph.body("query", fixed or seen)
    member = graph.membership()
    scores = graph.protonet(support, query, member) if run.learner == "protonet" else graph.matching(support, query, member)
    shape = run.input_shape
    graph.write(path, {"support": shape, "query": shape}, {"labels": ["k"]}, scores, "scores", ["n", "ways"])


def _opened(run):
    run = run if isinstance(run, Run) else Run(str(run))
    config = run.config
    if config["model.name"] != "conv4" or config["model.norm"] != "batch" or config.get("model.context", "0") != "0":
        raise ValueError(
            f"{run.dir}: model.name = {config['model.name']}, model.norm = {config['model.norm']}, model.context = "
            f"{config.get('model.context', '0')}; expected conv4, batch and 0, which ONNX graphs are written of"
        )
    return run


class _Graph:
    """Nodes of one graph; every method adds some and gives their output's name."""

    def __init__(self, run):
        self.config, self.weights = run.config, run.parameters
        self.nodes, self.values, self.count = [], {}, 0

    def node(self, kind, *inputs, **attributes):
        from onnx import helper

        self.count += 1
        name = f"{kind.lower()}_{self.count}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, value, name=None):
        name = name or f"constant_{len(self.values)}"
        self.values[name] = np.asarray(value)
        return name

    def moments(self):
        """(mean, variance) of each block where the run has running ones, else []."""
        found = []
        for block in range(1, 5):
            if f"norm{block}.mean" in self.weights:
                found.append(
                    tuple(
                        self.constant(self.weights[f"norm{block}.{m}"].reshape(1, -1, 1, 1), f"norm{block}.{m}")
                        for m in ("mean", "variance")
                    )
                )
        return found

    def body(self, x, fixed=(), seen=None):
        """Features (n, f) of images; normalised by fixed moments or by x's own."""
        pool, halving = self.config["model.pool"], int(self.config["model.pool_blocks"])
        for block in range(1, 5):
            name = f"block{block}."
            weight = self.constant(self.weights[name + "conv.weight"], name + "conv.weight")
            halves = block <= halving
            stride = 2 if halves and pool == "stride" else 1
            x = self.node("Conv", x, weight, pads=[1, 1, 1, 1], strides=[stride, stride])
            mean, variance = fixed[block - 1] if fixed else self.own_moments(x)
            if seen is not None:
                seen.append((mean, variance))
            eps = self.constant(np.float32(self.config["model.norm_eps"]))
            x = self.node("Div", self.node("Sub", x, mean), self.node("Sqrt", self.node("Add", variance, eps)))
            for kind, part in (("Mul", "scale"), ("Add", "shift")):
                if name + "norm." + part in self.weights:
                    value = self.weights[name + "norm." + part].reshape(1, -1, 1, 1)
                    x = self.node(kind, x, self.constant(value, name + "norm." + part))
            x = self.node("Relu", x)
            if halves and pool == "max":
                x = self.node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
        if pool == "stride":
            x = self.node("ReduceMean", x, axes=[2, 3], keepdims=1)
        return self.node("Flatten", x)

    def own_moments(self, x):
        mean = self.node("ReduceMean", x, axes=[0, 2, 3])
        apart = self.node("Sub", x, mean)
        return mean, self.node("ReduceMean", self.node("Mul", apart, apart), axes=[0, 2, 3])

    def membership(self):
        """(k, ways), 1 where an example is of the class."""
        one = self.constant(np.array([1], np.int64))
        ways = self.node("Add", self.node("ReduceMax", "labels", keepdims=1), one)
        return self.node("OneHot", "labels", ways, self.constant(np.array([0, 1], np.float32)))

    def protonet(self, support, query, member):
        across = self.node("Transpose", member, perm=[1, 0])
        counts = self.node("ReduceSum", across, self.constant(np.array([1], np.int64)))
        counts = self.node("Max", counts, self.constant(np.array([[1]], np.float32)))
        prototypes = self.node("Div", self.node("MatMul", across, support), counts)
        product = self.node("MatMul", query, self.node("Transpose", prototypes, perm=[1, 0]))
        two = self.constant(np.float32(2))
        lengths = self.node("Transpose", self.squares(prototypes), perm=[1, 0])
        return self.node(
            "Sub", self.node("Sub", self.node("Mul", product, two), self.squares(query)), lengths
        )

    def matching(self, support, query, member):
        cosines = self.node(
            "MatMul", self.unit(query), self.node("Transpose", self.unit(support), perm=[1, 0])
        )
        scores = self.node("Div", cosines, self.constant(np.float32(self.config["learner.temperature"])))
        # Each class by its own largest score: seen from another's it may be too
        # small a number.
        own = self.node("Add", self.node("Unsqueeze", scores, self.constant(np.array([2], np.int64))), self.node("Log", member))
        return self.node("ReduceLogSumExp", own, axes=[1], keepdims=0)

    def squares(self, x):
        return self.node("ReduceSum", self.node("Mul", x, x), self.constant(np.array([1], np.int64)))

    def unit(self, x):
        least = self.constant(np.float32(1e-12))
        return self.node("Div", x, self.node("Sqrt", self.node("Add", self.squares(x), least)))

    def write(self, path, images, others, output, name, shape):
        import onnx
        from onnx import TensorProto, helper, numpy_helper

        self.nodes.append(helper.make_node("Identity", [output], [name]))
        inputs = [
            helper.make_tensor_value_info(key, TensorProto.FLOAT, [f"{key}_count", *dims])
            for key, dims in images.items()
        ] + [helper.make_tensor_value_info(key, TensorProto.INT64, dims) for key, dims in others.items()]
        graph = helper.make_graph(
            self.nodes,
            "protean",
            inputs,
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)],
            [numpy_helper.from_array(value, key) for key, value in self.values.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], producer_name="protean")
        model.ir_version = 8
        onnx.checker.check_model(model, full_check=True)
        Path(path).write_bytes(model.SerializeToString())
