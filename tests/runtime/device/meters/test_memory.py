import subprocess
import sys

import pytest

from runtime.device.meters.memory import MemoryUse, memory_use, most_memory

# Imports take 64 MB that are given back, the "model" 32 MB that are, too.
PROGRAM = """
import mmap
from runtime.device.meters.memory import begin_load
def touch(mb):
    with mmap.mmap(-1, mb << 20) as block:
        block.write(b"x" * (mb << 20))
touch(64)
held = begin_load()
touch(32)
print(held, flush=True)
input()
"""


def test_the_peak_of_imports_is_not_the_models():
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        held = int(child.stdout.readline())
        use = memory_use(child.pid, held, None)
        child.stdin.write("\n")
        child.stdin.close()
    assert use.peak_bytes == held + use.model_bytes
    assert 32 << 20 <= use.model_bytes < 110 << 20  # the bytes that are written exist twice for a moment


def test_a_process_that_is_gone_tells_only_what_its_file_does():
    assert memory_use(4_194_304, 10, None) is None
    assert memory_use(4_194_304, 10, 5) == MemoryUse(None, None, 5)


def test_most_memory_is_that_of_each_kind():
    uses = [MemoryUse(9, 3, None), MemoryUse(8, None, 7), MemoryUse(5, 4, 6)]
    assert most_memory(uses) == MemoryUse(9, 4, 7)
    assert most_memory([]) is None


@pytest.mark.parametrize("figure", [-1, 1 << 60])
def test_what_no_machine_has_is_refused(figure):
    with pytest.raises(ValueError, match=r"model_bytes is .*no machine has that"):
        MemoryUse(model_bytes=figure)
