// What memory this process holds: runtime/device/meters/memory.py reads the peak from outside.
#pragma once

#include <cstdint>

namespace edgekit {

// Returns the resident bytes, -1 where /proc does not tell, and begins the process's peak anew.
int64_t begin_load();

}  // namespace edgekit
