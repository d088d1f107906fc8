"""Plain data of a choice: the goal, the estimate of each setting, the policy. Needs no numpy."""
