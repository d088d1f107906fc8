// Just enough JSON (RFC 8259) for one request per line.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace edgekit {

struct Json {
  enum class Kind { null, boolean, number, text, list, object };

  Kind kind = Kind::null;
  bool boolean = false;
  double number = 0;
  std::string text;
  std::vector<Json> list;
  std::map<std::string, Json> object;

  bool is_null() const { return kind == Kind::null; }
  // Each throws std::runtime_error, naming the field, where it is absent or of another kind.
  const Json& at(const std::string& field) const;
  const std::string& text_at(const std::string& field) const;
  int64_t integer_at(const std::string& field) const;
  int64_t integer_at(const std::string& field, int64_t otherwise) const;
  bool boolean_at(const std::string& field, bool otherwise) const;
  const std::vector<Json>& list_at(const std::string& field) const;
  int64_t integer() const;
};

// Throws std::runtime_error, with the place, where `text` is not one JSON value.
Json parse_json(const std::string& text);

std::string quoted(const std::string& text);

template <typename Numbers>
std::string number_list(const Numbers& numbers) {
  std::string text = "[";
  for (const auto number : numbers) {
    text += (text.size() > 1 ? "," : "") + std::to_string(number);
  }
  return text + "]";
}

}  // namespace edgekit
