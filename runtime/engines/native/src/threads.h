// Affinity and the size of ExecuTorch's thread pool.
#pragma once

#include <cstdint>
#include <vector>

namespace edgekit {

// Lets this thread and all born from it run on `cpus` only, and reads that back.
// Throws std::runtime_error where the system grants others.
void pin(const std::vector<int64_t>& cpus);

std::vector<int> allowed_cpus();

// Makes the pool anew, which inherits the affinity of now. Only safe before a method is loaded.
// Throws std::runtime_error where the pool does not get that size.
void size_pool(int64_t threads);

// Threads of this process: all of them compute, the calling one too.
int count_threads();

}  // namespace edgekit
