from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ceteris.data.stratify import stratified_order
from ceteris.draws import permutation, stream_key

labels = st.lists(st.integers(0, 6), min_size=1, max_size=200).map(np.array)
seeds = st.integers(0, 2**31)


@given(labels, seeds)
def test_every_row_occurs_once(y, seed):
    assert sorted(stratified_order(y, stream_key(seed, "t"))) == list(range(len(y)))


@given(labels, seeds, st.data())
def test_a_beginning_holds_every_class_in_proportion(y, seed, data):
    size = data.draw(st.integers(0, len(y)))
    classes, counts = np.unique(y, return_counts=True)
    beginning = y[stratified_order(y, stream_key(seed, "t"))[:size]]
    for label, count in zip(classes, counts, strict=True):
        assert abs((beginning == label).sum() - size * count / len(y)) <= len(classes)


@given(labels, seeds, st.data())
def test_a_cut_leaves_each_class_on_both_sides(y, seed, data):
    y = np.concatenate([y, y])
    classes = len(np.unique(y))
    cut = data.draw(st.integers(classes, len(y) - classes))
    order = stratified_order(y, stream_key(seed, "t"))
    assert set(y[order[:cut]]) == set(y[order[cut:]]) == set(y)


@given(seeds, st.integers(1, 20), st.integers(1, 9))
def test_equal_classes_are_shared_out_exactly(seed, per_class, classes):
    y = np.arange(per_class * classes) % classes
    order = stratified_order(y, stream_key(seed, "t"))
    for take in range(per_class + 1):
        assert np.bincount(y[order[: take * classes]], minlength=classes).tolist() == [take] * classes


def test_without_classes_it_is_the_keyed_permutation():
    key = stream_key(3, "t")
    np.testing.assert_array_equal(stratified_order(np.ones(50), key, stratify=False), permutation(key, 50))


def test_within_a_class_every_row_is_chosen_equally_often():
    """400 draws of 3 in 12 rows of a class: each is expected 100 times, with a spread of 8.7."""
    y = np.repeat([0, 1], 12)
    chosen = [stratified_order(y, stream_key(seed, "t"))[:6] for seed in range(400)]
    counts = np.bincount(np.concatenate(chosen), minlength=24)
    assert counts.min() > 60
    assert counts.max() < 140
