"""Strengths of Bradley and Terry's model."""

import numpy as np
import pytest

from spiral.report.stats import strengths

WINS = np.array([[0, 12, 5.5], [4, 0, 7], [0.5, 9, 0]])


def test_they_are_those_of_choix():
    # choix.ilsr_pairwise_dense(WINS, alpha=0.01) of choix 0.4.1
    expected = [0.8912088191404101, -0.475158463561269, -0.41605035557914116]
    assert strengths.fitted(WINS) == pytest.approx(expected, rel=1e-12)


def test_the_log_odds_of_two_are_those_of_their_wins_drawn_to_zero():
    first, second = strengths.fitted(np.array([[0, 30.0], [10.0, 0]]))
    assert first == -second
    assert 1.09 < first - second < np.log(3)


@pytest.mark.parametrize("seed", range(5))
def test_flows_between_winners_and_losers_balance(seed):
    random = np.random.default_rng(seed)
    wins = random.integers(0, 9, (6, 6)) * (1 - np.eye(6))
    share = np.exp(strengths.fitted(wins))
    share *= len(share) / share.sum()
    rates = strengths.SHRINKAGE + wins.T / (share + share[:, None])
    flows = share[:, None] * rates  # from the row to the column
    assert flows.sum(axis=0) == pytest.approx(flows.sum(axis=1), rel=1e-6)


def test_who_never_loses_has_a_finite_strength():
    found = strengths.fitted(np.array([[0, 8.0], [0, 0]]))
    assert np.isfinite(found).all()
    assert found[0] > found[1]
