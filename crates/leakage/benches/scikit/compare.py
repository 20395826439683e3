"""CPU time and accuracy of scikit-learn's attackers on the rows that `panel_times --write` wrote.

The audit's own procedure: per main class one model on 80 % of the training rows, scored on the rest, and one on all,
scored on the test rows; every family gets the columns that ours gets. Run with OMP_NUM_THREADS=1. Usage: compare.py FOLDER.
Needs scikit-learn and numpy.
"""
import sys
import time

import numpy as np
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

folder = sys.argv[1]


def load(name):
    rows = np.fromfile(f"{folder}/{name}.f32", dtype="<f4").reshape(-1, 4)
    labels = np.fromfile(f"{folder}/{name}.u32", dtype="<u4").reshape(-1, 2)
    return rows, labels[:, 0], labels[:, 1]


train, test = load("train"), load("test")
per_class = {
    "logistic": lambda: LogisticRegression(max_iter=1000),
    "ridge": lambda: RidgeClassifier(),
    "qda": lambda: QuadraticDiscriminantAnalysis(),
    "naive-bayes": lambda: GaussianNB(),
    "knn-7": lambda: KNeighborsClassifier(7, n_jobs=1),
    "knn-51": lambda: KNeighborsClassifier(51, n_jobs=1),
    "knn-201": lambda: KNeighborsClassifier(201, n_jobs=1),
    "tree": lambda: DecisionTreeClassifier(max_depth=12, min_samples_leaf=10),
    "forest-10": lambda: RandomForestClassifier(150, max_depth=30, min_samples_leaf=10, n_jobs=1),
    "extra-trees-5": lambda: ExtraTreesClassifier(150, max_depth=30, min_samples_leaf=5, n_jobs=1),
    "boosting": lambda: HistGradientBoostingClassifier(max_iter=150, max_depth=5, early_stopping=True),
}


def columns(name, train, test):
    """Rows of one main class as the audit's families see them: standardised, without correlations, or both."""
    scale = StandardScaler().fit(train)
    train, test = scale.transform(train), scale.transform(test)
    factor = np.linalg.cholesky(np.cov(train.T, bias=True) + 1e-6 * np.eye(train.shape[1]))
    white = [np.linalg.solve(factor, rows.T).T for rows in (train, test)]
    if name.startswith("knn"):
        return white
    if name.startswith(("tree", "forest", "extra", "boosting")):
        return [np.hstack(pair) for pair in zip((train, test), white)]
    return [train, test]


print("family,cpu_s,accuracy")
for name, make in per_class.items():
    start, right = time.process_time(), 0
    for main in np.unique(train[1]):
        a, b = train[1] == main, test[1] == main
        (rows, asked), labels = columns(name, train[0][a], test[0][b]), train[2][a]
        part = len(rows) * 4 // 5
        make().fit(rows[:part], labels[:part]).predict_proba(rows[part:]) if name != "ridge" else make().fit(rows, labels)
        model = make().fit(rows, labels)
        right += (model.predict(asked) == test[2][b]).sum()
    print(f"{name},{time.process_time() - start:.3f},{100 * right / len(test[2]):.2f}", flush=True)


def with_label(rows, main):
    scaled = np.empty_like(rows)
    for label in np.unique(train[1]):
        scale = StandardScaler().fit(train[0][train[1] == label])
        scaled[main == label] = scale.transform(rows[main == label])
    return np.hstack([scaled, np.eye(10, dtype=np.float32)[main]])


start = time.process_time()


def network():
    return MLPClassifier((64, 32), batch_size=256, learning_rate_init=4e-3, max_iter=12, n_iter_no_change=100)


rows, part = with_label(train[0], train[1]), len(train[2]) * 4 // 5
network().fit(rows[:part], train[2][:part]).predict(rows[part:])
model = network().fit(rows, train[2])
right = (model.predict(with_label(test[0], test[1])) == test[2]).mean()
print(f"mlp-64x32,{time.process_time() - start:.3f},{100 * right:.2f}")
