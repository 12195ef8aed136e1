import numpy as np

from aurist.ensemble.duplicates import deal_groups, learn_duplicates, overlap
from aurist.metrics import metric


def drawn(seed: int = 0, n: int = 6000):
    """Rows with 1 to 4 copies, whose labels are drawn anew for each copy from the row's own distribution."""
    rng = np.random.default_rng(seed)
    true = rng.dirichlet(np.full(5, 0.3), n)
    copies = rng.choice([1, 2, 3, 4], n, p=[0.7, 0.2, 0.06, 0.04])
    keys = np.repeat(np.arange(n), copies)
    label = np.array([rng.choice(5, p=true[k]) for k in keys])
    noisy = 0.4 * true + 0.6 * rng.dirichlet(np.ones(5), n)
    return rng, keys.astype(np.uint64), np.eye(5, dtype=np.int8)[label], noisy[keys]


def test_twins_help_and_their_score_is_honest() -> None:
    rng, keys, targets, proba = drawn()
    test = rng.random(len(keys)) < 0.4
    folds = (keys[~test] % 5).astype(np.int64)
    seen, scores = learn_duplicates(keys[~test], proba[~test], targets[~test], folds, multilabel=False)
    is_seen = seen.contains(keys[test])
    answered = seen.answer(keys[test], proba[test])
    loss = metric("log_loss")
    assert loss(targets[test][is_seen], answered[is_seen]) > loss(
        targets[test][is_seen], proba[test][is_seen]
    )
    assert (answered[~is_seen] == proba[test][~is_seen]).all()
    accuracy = metric("accuracy")
    expected = overlap(scores.copies, is_seen.mean())
    both = np.concatenate([targets[~test]] * 2)
    scored = accuracy(
        both,
        np.concatenate([proba[~test], scores.proba]),
        np.concatenate([expected.new_weight, expected.seen_weight]),
    )
    assert abs(scored - accuracy(targets[test], answered)) < 0.025


def test_which_labels_stand_together_is_learnt() -> None:
    """Of five classes a twin of 0 is always 1, and the other way round; 2, 3 and 4 come with their own kind."""
    rng = np.random.default_rng(0)
    first = rng.integers(0, 5, 600)
    label = np.stack([first, np.array([1, 0, 2, 3, 4])[first]], axis=1).ravel()
    keys, folds = np.repeat(np.arange(600), 2).astype(np.uint64), np.repeat(np.arange(600) % 5, 2)
    targets = np.eye(5, dtype=np.int8)[label]
    proba = 0.3 * targets[np.arange(1200) ^ 1] + 0.7 * rng.dirichlet(np.ones(5), 1200)  # an echo, and noise
    seen, scores = learn_duplicates(keys, proba, targets, folds, multilabel=False)
    assert (scores.proba.argmax(axis=1) == label).mean() > 0.99
    logits = seen.twins.logits
    assert logits[0, 1] > 1 > 0 > logits[0, 0]
    assert logits[3, 3] > 1 > 0 > logits[3, 2]


def test_a_few_twins_are_no_reason_to_be_sure() -> None:
    targets = np.eye(5, dtype=np.int8)[[0, 0, 1, 2, 3, 4, 1, 2]]
    keys = np.array([0, 0, 1, 2, 3, 4, 5, 6], dtype=np.uint64)
    proba = np.full((8, 5), 0.2)
    seen, _ = learn_duplicates(keys, proba, targets, np.arange(8) % 2, multilabel=False)
    answer = seen.answer(keys, proba)
    assert (answer.max(axis=1) < 0.9).all()
    assert np.allclose(answer.sum(axis=1), 1)


def test_where_nothing_can_be_learnt_the_models_are_believed_as_they_are() -> None:
    keys, folds = np.array([7, 7, 7, 7], dtype=np.uint64), np.array([0, 1, 0, 1])
    proba = np.array([[0.6, 0.3, 0.1]] * 4)
    _, scores = learn_duplicates(keys, proba, np.eye(3, dtype=np.int8)[[0, 0, 1, 0]], folds, multilabel=False)
    assert np.allclose(scores.proba, proba)


def test_labels_shuffled_at_random_do_not_help_twins() -> None:
    rng, keys, targets, _ = drawn(n=3000)
    targets = targets[rng.permutation(len(targets))]
    prior = np.tile(targets.mean(axis=0), (len(targets), 1))
    _, scores = learn_duplicates(keys, prior, targets, (keys % 5).astype(np.int64), multilabel=False)
    twinned = scores.copies > 1
    loss = metric("log_loss")
    assert loss(targets[twinned], scores.proba[twinned]) < loss(targets[twinned], prior[twinned]) + 0.01


def test_noise_in_few_twins_is_scored_at_chance() -> None:
    """On stratified folds, which share their pairs, this is 0.007 +- 0.003 nats above the best constant."""
    groups, gains = np.arange(240) // 2, []
    loss = metric("log_loss")
    for seed in range(12):
        targets = np.eye(3, dtype=np.int8)[np.random.default_rng(7000 + seed).integers(0, 3, 240)]
        usual = np.tile(targets.mean(axis=0), (240, 1))
        parts = deal_groups(groups, 4, seed)
        assert all(len(set(pair)) == 1 for pair in parts.reshape(-1, 2))
        _, scores = learn_duplicates(groups.astype(np.uint64), usual, targets, parts, multilabel=False)
        gains.append(loss(targets, scores.proba) - loss(targets, usual))
    assert np.mean(gains) < 0.001


def test_overlap_stands_for_the_share_that_was_seen() -> None:
    copies = np.array([1] * 60 + [2] * 30 + [3] * 10)
    for share in (0.0, 0.1, 0.3):
        estimate = overlap(copies, share)
        assert abs(estimate.seen_weight.mean() - share) < 1e-6
        assert (estimate.new_weight[:60] == 1).all()


def test_nothing_is_known_of_a_table_without_copies() -> None:
    targets = np.eye(2, dtype=np.int8)[[0, 1, 0]]
    proba = np.full((3, 2), 0.5)
    keys = np.array([1, 2, 3], dtype=np.uint64)
    seen, scores = learn_duplicates(keys, proba, targets, np.zeros(3, dtype=np.int64), multilabel=False)
    assert (scores.proba == proba).all()
    assert seen.contains(np.array([3, 4], dtype=np.uint64)).tolist() == [True, False]
