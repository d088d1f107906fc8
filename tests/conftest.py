"""Settings of every test run."""

import os

# Tests run two at a time on two cores: thread pools of their own would only wait for each other,
# and OpenMP's waiting threads spin. Set before anything imports torch; child processes inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
