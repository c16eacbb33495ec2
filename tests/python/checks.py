"""checks.py GROUP: what the module gives, against what the program wrote."""

import json
import sys
from pathlib import Path

import numpy as np

import protean


def image(path):
    from PIL import Image

    return np.asarray(Image.open(path), dtype=np.float32)[None] / 255


def close(ours, theirs, what, most=1e-5):
    difference = float(np.abs(np.asarray(ours) - np.asarray(theirs)).max())
    assert difference <= most, f"{what}: {difference} apart; expected at most {most}"
    return difference


def predictions():
    classes = sorted(path.name for path in Path("support").iterdir())
    support = [(image(p), c) for c in classes for p in sorted(Path("support", c).iterdir())]
    x, y = np.stack([i for i, _ in support]), [c for _, c in support]
    for file in sorted(Path(".").glob("*.json")):
        name = file.stem
        told = json.loads(file.read_text())["predictions"]
        query = np.stack([image(Path("query", p["file"])) for p in told])
        model = protean.FewShotClassifier(f"runs/{name}").fit(x, y)
        assert list(model.classes_) == classes
        assert list(model.predict(query)) == [p["class"] for p in told], name
        if model.run_.probabilities:
            theirs = [[p["probabilities"][c] for c in classes] for p in told]
            d = close(model.predict_proba(query), theirs, name)
            print(f"{name}: {d:.1e}")
        else:
            print(f"{name}: the same choices")
        # Alone as among others, unless it is asked for as it was trained.
        close(model.decision_function(query[:1]), model.decision_function(query)[:1], name)
        if name == "maml":
            trained = protean.load("runs/maml", transductive=True)
            assert trained.transductive and not model.run_.transductive
            both = [trained.scores(model.support_, model.labels_, q)[:1] for q in (query[:1], query)]
            assert np.abs(both[0] - both[1]).max() > 1e-4
        # Given in another order, and flat.
        order = [5, 0, 3, 1, 4, 2]
        other = protean.FewShotClassifier(model.run_)
        other.fit(x[order].reshape(6, -1), [y[i] for i in order])
        if name not in ("snail", "mann"):  # which read a sequence
            close(other.decision_function(query), model.decision_function(query), name, 1e-3)


def cross_entropy(scores, labels):
    scores = scores - scores.max(1, keepdims=True)
    return float(np.mean(np.log(np.exp(scores).sum(1)) - scores[np.arange(len(labels)), labels]))


def config_of(run):
    return {k.replace(".", "__"): v for k, v in protean.load(run).config.items()}


def tasks():
    """Losses and accuracies of the program, from tasks that Python has drawn."""
    run = protean.load("a")
    # b's third step is at the weights that a ended with.
    batches = list(protean.tasks("b/config.ini", steps=[2]))
    assert sorted(i for b in batches for i in b.indices) == [0, 1, 2, 3]
    assert [len(b.support_x) for b in batches] == [2, 2]  # 4 tasks by 3
    assert batches[0].support_x.shape == (2, 6, 1, 28, 28)
    assert batches[0].query_y.shape == (2, 6) and batches[0].ways == 3
    losses = [
        cross_entropy(run.scores(b.support_x[t], b.support_y[t], b.query_x[t]), b.query_y[t])
        for b in batches
        for t in range(len(b.support_x))
    ]
    logged = [json.loads(line) for line in open("b/metrics.jsonl")]
    close(np.mean(losses), [m["loss"] for m in logged if m["step"] == 3], "training loss")
    right = [
        np.mean(run.scores(b.support_x[t], b.support_y[t], b.query_x[t]).argmax(1) == b.query_y[t])
        for b in protean.tasks("a/config.ini", stream="test", eval__tasks=7)
        for t in range(len(b.support_x))
    ]
    assert len(right) == 7
    close(np.mean(right), json.load(open("eval.json"))["accuracy"], "test accuracy", 1e-9)
    # Memory is shared with the batch, by NumPy's own protocol.
    x = batches[0].support_x
    again = np.from_dlpack(x)
    assert np.shares_memory(x, again)


def samples():
    run = protean.load("a")
    support = next(protean.tasks("a/config.ini", stream="test", eval__tasks=1)).support_x[0]
    first = run.sample(support, 120, seed=4)
    assert first.shape == (120, *support.shape[1:]) and 0 <= first.min() <= first.max() <= 1
    assert (first[:10] == run.sample(support, 10, seed=4)).all()
    assert (first[:10] != run.sample(support, 10, seed=5)).any()


class Padded(protean.FewShotClassifier):
    """For scikit-learn's own suite, which brings two to ten features where a run
    takes as many as it was trained on: they come first, with zeros behind."""

    def _checked(self, X, *y):
        checked = super()._checked(X, *y)
        X = checked[0] if y else checked
        X = np.pad(X, [(0, 0), (0, 784 - X.shape[1])])
        return (X, checked[1]) if y else X

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # on clouds of points, in pixels
        return tags


def estimator():
    """scikit-learn's own use of an estimator: clone, cross-validation, pipeline."""
    from sklearn.base import clone, is_classifier
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer
    from sklearn.utils.estimator_checks import check_estimator

    batch = next(protean.tasks("a/config.ini", steps=[0], task__queries=6))
    x, y = batch.query_x[0].reshape(18, -1), np.array(["a", "b", "c"])[batch.query_y[0]]
    model = protean.FewShotClassifier("a")
    assert is_classifier(model) and clone(model).get_params() == {"run": "a"}
    pipe = make_pipeline(FunctionTransformer(lambda v: v), model)
    scores = cross_val_score(pipe, x, y, cv=3)
    assert scores.shape == (3,) and np.isfinite(scores).all()
    assert model.fit(x, y).score(x, y) == np.mean(model.predict(x) == y)
    done = check_estimator(Padded("a"), on_fail=None, on_skip=None)
    failed = [check for check in done if check["status"] == "failed"]
    for check in failed:
        print(f"  {check['check_name']}: {str(check['exception'])[:300]}")
    print(f"check_estimator: {sum(c['status'] == 'passed' for c in done)} of {len(done)} passed")
    assert not failed


def onnx():
    """onnxruntime, given the graph alone, says what the run says."""
    import onnxruntime

    from protean import onnx as graphs

    def asked(file, **inputs):
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        return session.run(None, {k: np.asarray(v) for k, v in inputs.items()})[0]

    batch = next(protean.tasks("protonet/config.ini", stream="test", eval__tasks=1))
    support, labels, query = batch.support_x[0], batch.support_y[0], batch.query_x[0]
    for name in ("protonet", "support", "matching"):
        run = protean.load(name)
        graphs.encoder(run, name + ".onnx")
        x = np.concatenate([support, query])
        features = run.encode(x)
        unit = features.std()
        print(f"{name} features: {close(asked(name + '.onnx', x=x) / unit, features / unit, name, 1e-4):.1e}")
    for name in ("protonet", "support", "matching"):
        run = protean.load(name)
        graphs.classifier(name, name + "-scores.onnx")
        # Also of other ways and unequal shots, in no order.
        for keep in (slice(None), [3, 0, 1]):
            s, y = support[keep], labels[keep] % 2 if isinstance(keep, list) else labels[keep]
            theirs = asked(name + "-scores.onnx", support=s, labels=y, query=query)
            ours = run.scores(s, y, query)
            assert theirs.shape == ours.shape
            soft = lambda v: np.exp(v - v.max(1, keepdims=True)) / np.exp(v - v.max(1, keepdims=True)).sum(1, keepdims=True)
            print(f"{name} probabilities: {close(soft(theirs), soft(ours), name):.1e}")
    refused(RuntimeError, "learner maml has no features", graphs.encoder, "maml", "m.onnx")
    refused(ValueError, "learner.name = maml adapts by more than features", graphs.classifier, "maml", "m.onnx")
    assert not Path("m.onnx").exists()


def refused(kind, text, call, *args, **more):
    try:
        call(*args, **more)
    except kind as e:
        assert text in str(e), f"{e}; expected {text}"
        assert "\n" not in str(e), str(e)
    else:
        raise AssertionError(f"no {kind.__name__}: {text}")


def bad():
    run = protean.load("a")
    x, y = np.zeros((4, 1, 28, 28)), np.array([0, 0, 1, 1])
    refused(ValueError, "run nowhere: no config.ini there", protean.load, "nowhere")
    refused(ValueError, "support: an array of shape (4, 27)", run.scores, x.reshape(4, -1)[:, :27], y, x)
    refused(ValueError, "support: 4 examples, but 3 labels", run.scores, x, y[:3], x)
    refused(ValueError, "labels: -1 to 1", run.scores, x, np.array([0, -1, 1, 1]), x)
    refused(ValueError, "query: an array of shape (0, 1, 28, 28)", run.scores, x, y, x[:0])
    refused(ValueError, "was not trained on values", run.values, x, x, x)
    refused(ValueError, "learner.name = protonet makes no images", run.sample, x, 3)
    many = np.arange(4)
    refused(ValueError, "outputs", protean.load("m").scores, x, many, x)
    refused(ValueError, "task.wayz", protean.tasks, "a/config.ini", task__wayz=3)
    refused(ValueError, "task.ways", protean.tasks, "a/config.ini", task__ways=0)
    refused(ValueError, "stream", protean.tasks, "a/config.ini", stream="tset")
    refused(ValueError, "none.ini", protean.tasks, "none.ini")
    refused(ValueError, "nothere", protean.tasks, "a/config.ini", data__path="nothere")
    model = protean.FewShotClassifier("a")
    refused(ValueError, "not fitted yet", model.predict, x)
    refused(ValueError, "1 class", model.fit, x, [1, 1, 1, 1])


def frames():
    frame = protean.metrics("a")
    assert list(frame.index) == [1, 2] and (frame["tasks_per_s"] > 0).all()
    table = protean.summary("a")
    assert table.loc["a", "theta_sha256"] == json.load(open("a/summary.json"))["theta_sha256"]


globals()[sys.argv[1]]()
