#include "wire.h"

#include <algorithm>
#include <stdexcept>

namespace edgekit {
namespace {

constexpr size_t kMaxLineBytes = 1 << 20;
constexpr int64_t kMaxArrayBytes = int64_t{1} << 32;
constexpr size_t kPartBytes = size_t{16} << 20;

Array read_array(const Json& head, std::FILE* stream) {
  Array array;
  array.dtype = head.text_at("dtype");
  for (const Json& side : head.list_at("shape")) array.shape.push_back(static_cast<int32_t>(side.integer()));
  const int64_t size_bytes = head.integer_at("size_bytes");
  if (size_bytes < 0 || size_bytes > kMaxArrayBytes) throw std::runtime_error("an input's size_bytes is absurd");
  // Memory for what has come, not for what is announced: that may be more than a board has.
  while (array.data.size() < static_cast<size_t>(size_bytes)) {
    const size_t before = array.data.size(), part = std::min(kPartBytes, static_cast<size_t>(size_bytes) - before);
    array.data.resize(before + part);
    if (std::fread(array.data.data() + before, 1, part, stream) != part) {
      throw std::runtime_error("the stream ended within an input");
    }
  }
  return array;
}

}  // namespace

std::optional<Request> read_request(std::FILE* stream) {
  std::string line;
  int next;
  while ((next = std::getc(stream)) != EOF && next != '\n') {
    line += static_cast<char>(next);
    if (line.size() > kMaxLineBytes) throw std::runtime_error("a request's line is longer than 1 MiB");
  }
  if (next == EOF && line.empty()) return std::nullopt;
  Request request{parse_json(line), {}};
  if (request.head.object.count("inputs")) {
    for (const Json& head : request.head.list_at("inputs")) request.inputs.push_back(read_array(head, stream));
  }
  return request;
}

bool write_answer(std::FILE* stream, const std::string& json, const std::vector<Blob>& blobs) {
  bool is_written = std::fwrite(json.data(), 1, json.size(), stream) == json.size() && std::putc('\n', stream) != EOF;
  for (const Blob& blob : blobs) {
    if (blob.size_bytes == 0) continue;  // its data may be null, which fwrite must not be given
    is_written = is_written && std::fwrite(blob.data, 1, blob.size_bytes, stream) == blob.size_bytes;
  }
  return is_written && std::fflush(stream) == 0;
}

}  // namespace edgekit
