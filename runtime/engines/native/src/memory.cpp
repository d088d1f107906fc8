#include "memory.h"

#include <fstream>
#include <string>

namespace edgekit {

int64_t begin_load() {
  std::ofstream("/proc/self/clear_refs") << "5";  // refused: a peak of before may hide a small model
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmRSS:", 0) == 0) return std::stoll(line.substr(6)) * 1024;
  }
  return -1;
}

}  // namespace edgekit
