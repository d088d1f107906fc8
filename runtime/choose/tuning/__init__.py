"""From what was measured or predicted to the setting that serves a request, and why: the policy."""
