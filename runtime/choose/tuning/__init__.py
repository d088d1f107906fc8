"""From what was measured or predicted to the setting that serves a wish, and why: the policy."""
