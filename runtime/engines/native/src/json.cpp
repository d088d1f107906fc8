#include "json.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace edgekit {
namespace {

constexpr int kMaxDepth = 32;

class Parser {
 public:
  explicit Parser(const std::string& text) : text_(text) {}

  Json whole() {
    Json value = parse(0);
    skip_space();
    if (at_ != text_.size()) fail("more after the value");
    return value;
  }

 private:
  Json parse(int depth) {
    if (depth > kMaxDepth) fail("nested too deep");
    skip_space();
    Json value;
    const char next = peek();
    if (next == '{') {
      value.kind = Json::Kind::object;
      items('}', [&] {
        skip_space();
        std::string name = string();
        skip_space();
        if (peek() != ':') fail("':' is missing");
        ++at_;
        value.object[name] = parse(depth + 1);
      });
    } else if (next == '[') {
      value.kind = Json::Kind::list;
      items(']', [&] { value.list.push_back(parse(depth + 1)); });
    } else if (next == '"') {
      value.kind = Json::Kind::text;
      value.text = string();
    } else if (word("true") || word("false")) {
      value.kind = Json::Kind::boolean;
      value.boolean = next == 't';
    } else if (!word("null")) {
      value.kind = Json::Kind::number;
      value.number = number();
    }
    return value;
  }

  template <typename Item>
  void items(char end, Item item) {
    ++at_;
    skip_space();
    if (peek() == end) {
      ++at_;
      return;
    }
    while (true) {
      item();
      skip_space();
      const char next = peek();
      ++at_;
      if (next == end) return;
      if (next != ',') fail("',' is missing");
    }
  }

  std::string string() {
    if (peek() != '"') fail("a text is missing");
    std::string value;
    for (++at_; peek() != '"'; ++at_) {
      if (static_cast<unsigned char>(peek()) < 0x20) fail("a control character in a text");
      if (peek() != '\\') {
        value += peek();
        continue;
      }
      ++at_;
      const char escaped = peek();
      const std::string from = "\"\\/bfnrt", to = "\"\\/\b\f\n\r\t";
      const size_t place = from.find(escaped);
      if (place != std::string::npos) {
        value += to[place];
      } else if (escaped == 'u') {
        append_utf8(value, code_point());
      } else {
        fail("an unknown escape");
      }
    }
    ++at_;
    return value;
  }

  uint32_t code_point() {
    const uint32_t first = hex4();
    if (first < 0xD800 || first > 0xDFFF) return first;
    if (first > 0xDBFF || text_.compare(at_ + 1, 2, "\\u") != 0) fail("half a surrogate pair");
    at_ += 2;
    const uint32_t second = hex4();
    if (second < 0xDC00 || second > 0xDFFF) fail("half a surrogate pair");
    return 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
  }

  uint32_t hex4() {
    uint32_t value = 0;
    for (int i = 0; i < 4; ++i) {
      ++at_;
      const char digit = peek();
      if (!std::isxdigit(static_cast<unsigned char>(digit))) fail("four hex digits are missing");
      value = value * 16 + std::stoi(std::string(1, digit), nullptr, 16);
    }
    return value;
  }

  static void append_utf8(std::string& text, uint32_t code) {
    if (code < 0x80) {
      text += static_cast<char>(code);
    } else if (code < 0x800) {
      text += static_cast<char>(0xC0 | code >> 6);
      text += static_cast<char>(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
      text += static_cast<char>(0xE0 | code >> 12);
      text += static_cast<char>(0x80 | (code >> 6 & 0x3F));
      text += static_cast<char>(0x80 | (code & 0x3F));
    } else {
      text += static_cast<char>(0xF0 | code >> 18);
      text += static_cast<char>(0x80 | (code >> 12 & 0x3F));
      text += static_cast<char>(0x80 | (code >> 6 & 0x3F));
      text += static_cast<char>(0x80 | (code & 0x3F));
    }
  }

  double number() {
    const std::string digits = text_.substr(at_, text_.find_first_not_of("+-.eE0123456789", at_) - at_);
    char* end = nullptr;
    const double value = std::strtod(digits.c_str(), &end);
    if (digits.empty() || *end != '\0' || !std::isfinite(value)) fail("a value is missing");
    at_ += digits.size();
    return value;
  }

  bool word(const std::string& word) {
    if (text_.compare(at_, word.size(), word) != 0) return false;
    at_ += word.size();
    return true;
  }

  char peek() const {
    if (at_ >= text_.size()) fail("it ends too early");
    return text_[at_];
  }

  void skip_space() {
    at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size());
  }

  [[noreturn]] void fail(const std::string& problem) const {
    throw std::runtime_error("not JSON: " + problem + " at character " + std::to_string(at_));
  }

  const std::string& text_;
  size_t at_ = 0;
};

// Length of the UTF-8 sequence at `at`, 0 where there is none: a damaged file's bytes get into messages.
size_t utf8_length(const std::string& text, size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  const size_t length = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
  if (at + length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[at + i]) & 0xC0) != 0x80) return 0;
  }
  const auto second = length > 2 ? static_cast<unsigned char>(text[at + 1]) : 0x90;
  const bool is_overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool is_no_character = (first == 0xED && second > 0x9F) || (first == 0xF4 && second > 0x8F);
  return is_overlong || is_no_character ? 0 : length;
}

[[noreturn]] void fail(const std::string& field, const char* wanted) {
  throw std::runtime_error("the request's '" + field + "' must be " + wanted);
}

}  // namespace

const Json& Json::at(const std::string& field) const {
  const auto found = object.find(field);
  if (found == object.end()) fail(field, "given");
  return found->second;
}

const std::string& Json::text_at(const std::string& field) const {
  const Json& value = at(field);
  if (value.kind != Kind::text) fail(field, "a text");
  return value.text;
}

int64_t Json::integer_at(const std::string& field) const {
  const Json& value = at(field);
  if (value.kind != Kind::number) fail(field, "an integer");
  return value.integer();
}

int64_t Json::integer_at(const std::string& field, int64_t otherwise) const {
  return object.find(field) == object.end() ? otherwise : integer_at(field);
}

bool Json::boolean_at(const std::string& field, bool otherwise) const {
  const auto found = object.find(field);
  if (found == object.end()) return otherwise;
  if (found->second.kind != Kind::boolean) fail(field, "true or false");
  return found->second.boolean;
}

const std::vector<Json>& Json::list_at(const std::string& field) const {
  const Json& value = at(field);
  if (value.kind != Kind::list) fail(field, "a list");
  return value.list;
}

int64_t Json::integer() const {
  constexpr double kLargest = 9007199254740992.0;  // of the integers that a double holds exactly
  if (kind != Kind::number || number != std::floor(number) || std::abs(number) > kLargest) {
    throw std::runtime_error("the request holds something else where an integer is needed");
  }
  return static_cast<int64_t>(number);
}

Json parse_json(const std::string& text) { return Parser(text).whole(); }

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    const size_t length = utf8_length(text, at);
    if (c == '"' || c == '\\') {
      result += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", c);
      result += escaped;
    } else {
      result += length > 0 ? text.substr(at, length) : "?";
    }
    at += length > 0 ? length : 1;
  }
  return result + '"';
}

}  // namespace edgekit
