"""Deep Q-learning in plain numpy: a small network, a memory of transitions, a target network.

Mnih et al., "Human-level control through deep reinforcement learning", Nature 518, 2015; the optimiser is
Adam (Kingma and Ba, 2015). One hidden layer: states here have a handful of numbers.
"""

from __future__ import annotations

import numpy as np

_ADAM = (0.9, 0.999, 1e-8)


class DeepQ:
    """Learns what each action is worth in each state.

    Args:
        n_features: numbers in a state, each of about unit size.
        n_actions: to choose from.
        seed: of the weights, the exploration and the draws from memory.
        discount: of a reward one step later.
        hidden: width of the layer.
        learning_rate: of Adam.
        memory: transitions kept; the oldest are overwritten.
        batch: transitions per step of learning.
        sync_steps: steps of learning between two copies to the target network.

    Example:
        >>> agent = DeepQ(1, 2, seed=0)
        >>> for _ in range(300):
        ...     state = agent.rng.uniform(-1, 1, (8, 1))
        ...     action = agent.act(state, explore=1.0)
        ...     agent.remember(state, action, 1.0 * (action == (state[:, 0] > 0)), state)
        ...     agent.learn()
        >>> agent.act(np.array([[-0.5], [0.5]])).tolist()
        [0, 1]
    """

    def __init__(
        self,
        n_features: int,
        n_actions: int,
        *,
        seed: int,
        discount: float = 0.9,
        hidden: int = 32,
        learning_rate: float = 3e-3,
        memory: int = 20_000,
        batch: int = 64,
        sync_steps: int = 50,
    ):
        if not 0 <= discount < 1:
            raise ValueError(f"discount is {discount}; allowed: 0 to below 1")
        self.rng = np.random.default_rng(seed)
        self.discount, self.learning_rate = discount, learning_rate
        self.batch, self.sync_steps = batch, sync_steps
        self.weights = [
            self.rng.normal(0, np.sqrt(2 / n_features), (n_features, hidden)),
            np.zeros(hidden),
            self.rng.normal(0, np.sqrt(1 / hidden), (hidden, n_actions)),
            np.zeros(n_actions),
        ]
        self._target = [each.copy() for each in self.weights]
        self._mean = [np.zeros_like(each) for each in self.weights]
        self._square = [np.zeros_like(each) for each in self.weights]
        self._states = np.zeros((memory, n_features))
        self._following = np.zeros((memory, n_features))
        self._actions = np.zeros(memory, dtype=int)
        self._rewards = np.zeros(memory)
        self._seen = self._steps = 0

    def values(self, states: np.ndarray) -> np.ndarray:
        """Return what each action is worth, shape (n, n_actions)."""
        return _forward(self.weights, states)[1]

    def act(self, states: np.ndarray, explore: float = 0.0) -> np.ndarray:
        """Return the best action of each state, or with chance ``explore`` any."""
        best = self.values(states).argmax(axis=1)
        anything = self.rng.integers(0, len(self.weights[3]), len(states))
        return np.where(self.rng.random(len(states)) < explore, anything, best)

    def remember(
        self, states: np.ndarray, actions: np.ndarray, rewards: np.ndarray, following: np.ndarray
    ) -> None:
        """Remember what actions led to."""
        at = (self._seen + np.arange(len(states))) % len(self._rewards)
        self._states[at], self._actions[at] = states, actions
        self._rewards[at], self._following[at] = rewards, following
        self._seen += len(states)

    def learn(self) -> None:
        """Take one step of learning from what is remembered, once that fills a batch."""
        if self._seen < self.batch:
            return
        drawn = self.rng.integers(0, min(self._seen, len(self._rewards)), self.batch)
        # Double Q-learning: one network chooses, the other says what that is worth.
        choice = self.values(self._following[drawn]).argmax(axis=1)
        later = _forward(self._target, self._following[drawn])[1][np.arange(self.batch), choice]
        self._descend(self._states[drawn], self._actions[drawn], self._rewards[drawn] + self.discount * later)
        self._steps += 1
        if self._steps % self.sync_steps == 0:
            self._target = [each.copy() for each in self.weights]

    def _descend(self, states: np.ndarray, actions: np.ndarray, wanted: np.ndarray) -> None:
        layer, values = _forward(self.weights, states)
        error = np.zeros_like(values)
        rows = np.arange(len(states))
        # Huber's loss: an error counts at most as one.
        error[rows, actions] = np.clip(values[rows, actions] - wanted, -1.0, 1.0) / len(states)
        back = (error @ self.weights[2].T) * (layer > 0)
        gradients = [states.T @ back, back.sum(axis=0), layer.T @ error, error.sum(axis=0)]
        first, second, least = _ADAM
        count = self._steps + 1
        for index, gradient in enumerate(gradients):
            self._mean[index] += (1 - first) * (gradient - self._mean[index])
            self._square[index] += (1 - second) * (gradient**2 - self._square[index])
            mean = self._mean[index] / (1 - first**count)
            square = self._square[index] / (1 - second**count)
            self.weights[index] = self.weights[index] - self.learning_rate * mean / (np.sqrt(square) + least)


def _forward(weights: list[np.ndarray], states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    layer = np.maximum(states @ weights[0] + weights[1], 0.0)
    return layer, layer @ weights[2] + weights[3]
