"""From what was measured or predicted to the setting that answers a request, and why: the policy."""
