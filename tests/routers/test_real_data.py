"""Routers on real results of real models: 14 models on the 8 benchmarks of MINT."""

import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from worlds import accuracy, avg_acc, split, visible

from routers.best_single import BestSingle
from routers.dataset_oracle import DatasetOracle
from routers.oracle import Oracle
from routers.router import Queries, choose, find, names
from tests.tiny_encoder import make, marked

RELEASE = Path(__file__).parents[2].parent / "shared" / "data" / "bench-release-sample.tar.gz"
pytestmark = pytest.mark.skipif(not RELEASE.exists(), reason=f"real results are not here ({RELEASE.name})")


def hashed_words(texts, dim=256):
    """A cheap embedding: hashed words, weighed by how rare they are."""
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

    counts = HashingVectorizer(n_features=dim, alternate_sign=False, norm=None).transform(texts)
    return TfidfTransformer(sublinear_tf=True).fit_transform(counts).toarray().astype(np.float32)


@pytest.fixture(scope="module")
def queries():
    records = {}
    with tarfile.open(RELEASE) as archive:
        for member in archive:
            if "/mint_" in member.name and member.name.endswith(".json"):
                run = json.load(archive.extractfile(member))
                for record in run["records"]:
                    key = (run["dataset_name"], record["index"])
                    records.setdefault(key, {})[run["model_name"]] = record
    models = sorted({model for record in records.values() for model in record})
    keys = sorted(records)
    table = [[records[key][model] for model in models] for key in keys]
    text = tuple(row[0]["origin_query"] for row in table)
    return Queries(
        models=tuple(models),
        n_queries=len(keys),
        text=text,
        embedding=hashed_words(text),
        benchmark=np.unique([benchmark for benchmark, _ in keys], return_inverse=True)[1],
        score=np.array([[record["score"] for record in row] for row in table], dtype=float),
        cost=np.array([[record["cost"] for record in row] for row in table], dtype=float),
        answer=tuple(tuple(str(record["raw_output"]) for record in column) for column in zip(*table, strict=True)),
    )


def test_references_over_all_queries_have_the_known_figures(queries):
    """Random, Best Single, Dataset Oracle and Oracle of this pool, computed elsewhere from the same records."""
    assert (queries.n_queries, len(queries.models)) == (585, 14)
    single, dataset_oracle, oracle = (
        choose(router.fit(queries).predict(queries))[0] for router in (BestSingle(), DatasetOracle(), Oracle())
    )
    row = np.arange(queries.n_queries)
    assert {queries.models[m] for m in single} == {"gpt-4-0613"}
    assert avg_acc(queries, single) == pytest.approx(0.6861188274905455)
    assert avg_acc(queries, dataset_oracle) == pytest.approx(0.7082434913095614)
    assert avg_acc(queries, oracle) == pytest.approx(0.8637255931440118)
    assert queries.cost[row, single].sum() == pytest.approx(90.61122)
    assert queries.cost[row, oracle].sum() == pytest.approx(3.19633444)


CONTESTANTS = [name for name in names() if "score" not in find(name)().inputs]


# Not model_sat: the one random layer that stands for its language model in tests cannot read descriptions.
@pytest.mark.parametrize("name", marked([name for name in CONTESTANTS if name != "model_sat"]))
def test_routers_stay_between_random_and_oracle(queries, name):
    train, test = split(queries)
    router = make(name).fit(train)
    score = accuracy(router, train, test)
    random = np.mean([avg_acc(test, np.full(test.n_queries, m)) for m in range(len(test.models))])
    oracle = avg_acc(test, choose(Oracle().fit(train).predict(test))[0])
    noise = 3 * 0.5 / np.sqrt(test.n_queries)
    assert random - noise < score < oracle


def test_routers_that_see_the_query_beat_random_by_far(queries):
    train, test = split(queries)
    random = np.mean([avg_acc(test, np.full(test.n_queries, m)) for m in range(len(test.models))])
    for name in ("knn", "avengers"):
        router = find(name)().fit(train)
        assert avg_acc(test, choose(router.predict(visible(test, router)))[0]) > random + 0.15


def test_cheapest_position_of_avengers_pro_costs_least(queries):
    train, test = split(queries)
    choice = choose(find("avengers_pro")().fit(train).predict(test))
    cost = test.cost[np.arange(test.n_queries), choice].sum(axis=1)
    assert cost[0] < 0.2 * cost[-1]
