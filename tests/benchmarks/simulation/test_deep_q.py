import numpy as np
import pytest

from tests.benchmarks.simulation.deep_q import DeepQ


def test_two_actions_are_told_apart():
    agent = DeepQ(1, 2, seed=1, discount=0.5)
    for _ in range(600):
        state = agent.rng.uniform(-1, 1, (8, 1))
        action = agent.act(state, explore=1.0)
        agent.remember(state, action, 1.0 * (action == (state[:, 0] > 0)), state)
        agent.learn()
    states = np.array([[-0.9], [-0.3], [0.3], [0.9]])
    assert agent.act(states).tolist() == [0, 0, 1, 1]
    # The best action pays 1 for ever after: 1 / (1 - discount).
    assert agent.values(states).max(axis=1) == pytest.approx(1 / (1 - agent.discount), rel=0.15)


def walk(agent, steps, explore, learn):
    """Five rooms in a row; only the step out of the last pays, and leads back to the first."""
    rng = np.random.default_rng(0)
    room, paid = 0, 0.0
    for _ in range(steps):
        action = int(agent.act(np.eye(5)[[room]], explore)[0]) if agent else int(rng.integers(2))
        following = max(room - 1, 0) if action == 0 else room + 1
        reward = 1.0 * (following == 5)
        following %= 5
        if learn:
            agent.remember(np.eye(5)[[room]], np.array([action]), np.array([reward]), np.eye(5)[[following]])
            agent.learn()
        room, paid = following, paid + reward
    return paid


def test_a_reward_far_ahead_is_learned_and_beats_chance():
    agent = DeepQ(5, 2, seed=2)
    walk(agent, 2000, explore=0.5, learn=True)
    assert walk(agent, 100, explore=0.0, learn=False) == 20.0  # every fifth step pays: the best there is
    assert walk(None, 100, explore=0.0, learn=False) < 10


def test_the_same_seed_learns_the_same():
    values = []
    for _ in range(2):
        agent = DeepQ(5, 2, seed=3)
        walk(agent, 300, explore=0.5, learn=True)
        values.append(agent.values(np.eye(5)))
    assert (values[0] == values[1]).all()


def test_a_discount_of_one_is_refused():
    with pytest.raises(ValueError, match=r"discount is 1\.0"):
        DeepQ(1, 2, seed=0, discount=1.0)
