#include "threads.h"

#include <dirent.h>
#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "json.h"

// libexecutorch_threadpool.so exports this class, but the wheel has no header of it (1.5.1); from
// https://github.com/pytorch/executorch/blob/v1.5.1/extension/threadpool/threadpool.h. Only called, never made here.
namespace executorch::extension::threadpool {
class ThreadPool final {
 public:
  size_t get_thread_count() const;
  bool _unsafe_reset_threadpool(uint32_t num_threads);
};
ThreadPool* get_threadpool();
}  // namespace executorch::extension::threadpool

namespace edgekit {
namespace {

constexpr int64_t kMaxThreads = 256;

}  // namespace

void pin(const std::vector<int64_t>& cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int64_t cpu : cpus) {
    if (cpu < 0 || cpu >= CPU_SETSIZE) throw std::runtime_error("there is no CPU " + std::to_string(cpu));
    CPU_SET(cpu, &set);
  }
  if (sched_setaffinity(0, sizeof set, &set) != 0) {
    throw std::runtime_error("cannot pin to CPUs " + number_list(cpus) + " (" + std::strerror(errno) +
                             "); allowed: " + number_list(allowed_cpus()) +
                             "; bring them online or leave this process's cpuset");
  }
  cpu_set_t granted;
  if (sched_getaffinity(0, sizeof granted, &granted) != 0 || !CPU_EQUAL(&set, &granted)) {
    throw std::runtime_error("asked for CPUs " + number_list(cpus) + ", was given " + number_list(allowed_cpus()) +
                             "; bring them online or leave this process's cpuset");
  }
}

std::vector<int> allowed_cpus() {
  cpu_set_t set;
  std::vector<int> cpus;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

void size_pool(int64_t threads) {
  if (threads < 1 || threads > kMaxThreads) {
    throw std::runtime_error("threads must be 1 to " + std::to_string(kMaxThreads) + ", not " + std::to_string(threads));
  }
  auto* pool = executorch::extension::threadpool::get_threadpool();
  if (pool == nullptr) throw std::runtime_error("ExecuTorch has no thread pool here");
  // By itself it has as many threads as the machine has fast cores, whatever the affinity.
  if (!pool->_unsafe_reset_threadpool(static_cast<uint32_t>(threads)) ||
      pool->get_thread_count() != static_cast<size_t>(threads)) {
    throw std::runtime_error("asked ExecuTorch for " + std::to_string(threads) + " threads, was given " +
                             std::to_string(pool->get_thread_count()));
  }
}

int count_threads() {
  DIR* tasks = opendir("/proc/self/task");
  if (tasks == nullptr) throw std::runtime_error("cannot count threads: /proc is not mounted");
  int count = 0;
  while (const dirent* task = readdir(tasks)) count += task->d_name[0] != '.';
  closedir(tasks);
  return count;
}

}  // namespace edgekit
