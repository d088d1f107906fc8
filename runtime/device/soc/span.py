"""Which clusters may be used as one: like cores, as apps run threads on one prime and three gold cores."""

from __future__ import annotations

import itertools

from runtime.device.soc.cores import CORES
from runtime.device.soc.profile import JOINT, Cluster, SocProfile


def check_threads(cluster: Cluster, threads: int) -> None:
    """Raise ``ValueError`` where ``threads`` cannot run there: too few CPUs, or unlike cores used as one.

    A span's members run in order, or out of it, all alike: a little core would hold the big ones up at each
    op. Each member runs at least one thread.
    """
    if cluster.members:
        for one, other in itertools.pairwise(cluster.members):
            if (problem := why_unlike(one, other)) is not None:
                raise ValueError(
                    f"{cluster.name} is no cluster: {problem}; choose clusters of like cores, or one alone"
                )
    low, high = least_threads(cluster), len(cluster.cpus)
    if not low <= threads <= high:
        raise ValueError(f"threads is {threads}; allowed on {cluster.name!r}: {low} to {high}")


def least_threads(cluster: Cluster) -> int:
    """Return how many threads need all of its members; 1 of a cluster that is none of several."""
    return 1 + sum(len(member.cpus) for member in cluster.members[1:])


def span_for(profile: SocProfile, threads: int) -> Cluster | None:
    """Return the fastest clusters of like cores that run ``threads`` where none of them can alone."""
    order = sorted(profile.clusters, key=profile.capacity)[::-1]
    members: list[Cluster] = []
    for cluster in order:
        if members and why_unlike(cluster, members[-1]) is not None:
            return None
        members.append(cluster)
        if sum(len(member.cpus) for member in members) >= threads:
            break
    else:
        return None
    is_alone = any(len(member.cpus) >= threads for member in members)
    return None if is_alone else profile.cluster(JOINT.join(member.name for member in members))


def most_threads(profile: SocProfile) -> int:
    """Return how many threads can run at a time, on a cluster or on several of like cores."""
    every = sum(len(cluster.cpus) for cluster in profile.clusters)
    alone = max(len(cluster.cpus) for cluster in profile.clusters)
    return max([alone, *(count for count in range(alone + 1, every + 1) if span_for(profile, count))])


def why_unlike(one: Cluster, other: Cluster) -> str | None:
    """Return why two clusters are not used as one; ``None``: they may be."""
    for cluster in (one, other):
        if cluster.core not in CORES:
            return f"nothing is known of {cluster.name}'s cores ({cluster.core})"
    if CORES[one.core].is_in_order == CORES[other.core].is_in_order:
        return None
    first, last = (one, other) if CORES[one.core].is_in_order else (other, one)
    return f"{first.name}'s {first.core} runs instructions in order, {last.name}'s {last.core} does not"
