"""Classifiers of the best model: their labels, and scikit-learn's classifiers behind them."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from worlds import avg_acc, continuous, rows, specialists, split, visible, world

from routers.best_label import BestLabel, gaussian_kernel
from routers.best_single import BestSingle
from routers.knn import KNN
from routers.router import RouterError, choose

NAN = np.nan
TRAIN, TEST = (replace(part, embedding=part.embedding * np.float32(3)) for part in split(continuous()))
EAST, NORTH, WEST = [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]

each = pytest.mark.parametrize("classifier", ["knn", "svm", "mlp"])


def build(score, embedding):
    return world(np.array(score, dtype=float), np.zeros(len(score)), np.array(embedding))


def reference(classifier):
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.neural_network import MLPClassifier
    from sklearn.svm import SVC

    chosen = {
        "knn": KNeighborsClassifier(n_neighbors=5, weights="uniform"),
        "svm": SVC(kernel="rbf", C=1.0, gamma="scale", break_ties=True),
        "mlp": MLPClassifier((128, 64), activation="relu", solver="adam", alpha=1e-4, max_iter=500, random_state=42),
    }[classifier]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return chosen.fit(TRAIN.embedding, TRAIN.score.argmax(axis=1))


@each
def test_choices_are_those_of_the_reference(classifier):
    choice = choose(BestLabel(classifier=classifier).fit(TRAIN).predict(TEST))[0]
    np.testing.assert_array_equal(choice, reference(classifier).predict(TEST.embedding))


@each
def test_order_of_the_names_does_not_mix_up_the_models(classifier):
    train = build([[1, 0, 0]] * 6 + [[0, 1, 0]] * 6 + [[0, 0, 1]] * 6, [EAST] * 6 + [NORTH] * 6 + [WEST] * 6)
    train = replace(train, models=("my", "alpha", "zeta"))
    choice = choose(BestLabel(classifier=classifier).fit(train).predict(rows(train, [0, 6, 12])))
    assert choice.tolist() == [[0, 1, 2]]


@each
def test_two_classes(classifier):
    train = build([[0, 1, 0.5]] * 6 + [[0, 0.5, 1]] * 6, [EAST] * 6 + [NORTH] * 6)
    choice = choose(BestLabel(classifier=classifier).fit(train).predict(rows(train, [0, 6])))
    assert choice.tolist() == [[1, 2]]


@each
def test_one_class(classifier):
    train = build([[0, 1]] * 3, [EAST, NORTH, EAST])
    utility = BestLabel(classifier=classifier).fit(train).predict(train)
    assert utility.tolist() == [[[-np.inf, 1.0]] * 3]


def test_the_first_of_equal_scores_is_the_label_and_missing_ones_are_not():
    train = build([[NAN, 1, 1], [NAN, 1, 1], [0, NAN, 0.5]], [EAST, EAST, NORTH])
    assert BestLabel().fit(train).class_model_.tolist() == [1, 2]


def test_a_model_that_never_was_the_label_is_not_chosen():
    train = build([[1, 0.9, 0]] * 4 + [[0, 0.9, 1]] * 4, [EAST] * 4 + [NORTH] * 4)
    assert np.isneginf(BestLabel().fit(train).predict(train)[..., 1]).all()


@pytest.mark.parametrize("classifier", ["knn", "svm"])
def test_labels_throw_away_what_the_scores_say(classifier):
    """Ties go to the first, so a specialist with a high number is hardly ever the label."""
    train, test = split(specialists())
    label = BestLabel(classifier=classifier)
    single, by_label, by_score = (
        avg_acc(test, choose(router.fit(train).predict(visible(test, router)))[0])
        for router in (BestSingle(), label, KNN())
    )
    assert by_label < by_score - 0.1
    assert by_score > single + 0.3


def test_kernel_against_the_definition():
    one, other = TRAIN.embedding[:5], TEST.embedding[:7]
    squared = ((one[:, None].astype(float) - other) ** 2).sum(axis=-1)
    np.testing.assert_allclose(gaussian_kernel(one, other, 0.3), np.exp(-0.3 * squared), rtol=1e-9)


def test_an_unknown_classifier():
    with pytest.raises(RouterError, match="classifier is 'other'; valid: knn, svm, mlp"):
        BestLabel(classifier="other").fit(TRAIN)
