// Requests and answers: a line of JSON, then the raw bytes that its `size_bytes` announce, in order.
#pragma once

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "json.h"

namespace edgekit {

struct Array {
  std::string dtype;
  std::vector<int32_t> shape;
  std::vector<uint8_t> data;
};

struct Request {
  Json head;
  std::vector<Array> inputs;
};

// Nothing at the end of the stream. Throws std::runtime_error where it does not hold a request.
std::optional<Request> read_request(std::FILE* stream);

// `json`: the answer without arrays; each of `blobs` follows as it is. Returns whether all could be written.
struct Blob {
  const void* data;
  size_t size_bytes;
};
bool write_answer(std::FILE* stream, const std::string& json, const std::vector<Blob>& blobs = {});

}  // namespace edgekit
