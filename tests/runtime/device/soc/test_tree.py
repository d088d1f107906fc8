import pytest

from runtime.device.soc import load_profile
from runtime.device.soc.tree import SocTree, range_list


@pytest.fixture
def tree(tmp_path):
    return SocTree(load_profile("gs101"), tmp_path)


def put(tree, name, value):
    (tree.cpu_dir / "cpufreq/policy4" / name).write_text(str(value))


def cur(tree):
    tree.settle()
    return int((tree.cpu_dir / "cpufreq/policy4/scaling_cur_freq").read_text())


def test_the_tree_shows_what_the_kernel_would(tree):
    policy = tree.cpu_dir / "cpufreq/policy4"
    assert (tree.cpu_dir / "online").read_text() == "0-7\n"
    assert (tree.cpu_dir / "cpu7/cpu_capacity").read_text() == "1024\n"
    assert (tree.cpu_dir / "cpu0/topology/thread_siblings_list").read_text() == "0\n"
    assert (policy / "related_cpus").read_text() == "4 5\n"
    assert (policy / "scaling_available_frequencies").read_text().split()[0] == "400000"
    assert (policy / "stats/time_in_state").read_text().startswith("400000 0\n553000 0\n")
    assert (policy / "scaling_setspeed").read_text() == "<unsupported>\n"
    assert sorted(folder.name for folder in policy.parent.iterdir()) == ["policy0", "policy4", "policy6"]


def test_a_busy_cluster_runs_as_fast_as_it_may(tree):
    assert cur(tree) == 2253000
    put(tree, "scaling_max_freq", 1000000)
    assert cur(tree) == 910000  # the clock below the limit
    put(tree, "scaling_governor", "powersave")
    assert cur(tree) == 400000


def test_userspace_takes_the_clock_it_is_told(tree):
    put(tree, "scaling_governor", "userspace")
    put(tree, "scaling_setspeed", 1197000)
    assert cur(tree) == 1197000
    put(tree, "scaling_max_freq", 696000)
    assert cur(tree) == 696000


def test_limits_between_two_clocks_leave_the_nearest(tree):
    put(tree, "scaling_min_freq", 560000)
    put(tree, "scaling_max_freq", 560000)
    assert cur(tree) == 553000


def test_range_list():
    assert range_list([0, 1, 2, 6]) == "0-2,6"
    assert range_list([3]) == "3"
