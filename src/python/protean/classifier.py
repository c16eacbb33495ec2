"""A run as a classifier in scikit-learn's conventions."""

import os

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from ._protean import Run


class FewShotClassifier(ClassifierMixin, BaseEstimator):
    """Classifies by a few examples of each class, with what a run has learnt.

    run: the run's folder, or what protean.load() gave. X: examples as the run
    was trained on, (n, channels, side, side) in [0, 1] for images, or flat,
    (n, values). y: labels of any kind.

    fit() keeps the examples; the predicting methods adapt to them. Predictions do not
    depend on the other queries, unless run is a transductive one of protean.load().
    """

    def __init__(self, run):
        self.run = run

    def fit(self, X, y):
        X, y = self._checked(X, y)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y has {len(self.classes_)} class; expected two or more")
        self.run_ = self.run if isinstance(self.run, Run) else Run(os.fspath(self.run))
        # By class, as the tasks of training are.
        order = np.argsort(labels, kind="stable")
        self.support_, self.labels_ = X[order], labels[order].astype(np.int64)
        return self

    def decision_function(self, X):
        """(n, classes) logits; for two classes, as is usual, their difference (n,)."""
        scores = self._scores(X)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict_proba(self, X):
        scores = self._scores(X)
        if not self.run_.probabilities:
            raise ValueError(
                f"learner.name = {self.run_.learner} gives scores that are no "
                "probabilities; expected predict() or decision_function()"
            )
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def predict(self, X):
        scores = self._scores(X)
        return self.classes_[scores.argmax(axis=1)]

    def _scores(self, X):
        check_is_fitted(self)
        return self.run_.scores(self.support_, self.labels_, self._checked(X))

    def _checked(self, X, *y):
        if getattr(X, "ndim", 0) > 2:  # images
            X = np.reshape(X, (len(X), -1))
        return validate_data(self, X, *y, reset=bool(y), dtype=np.float32)
