#include "model.h"

#include <executorch/runtime/platform/platform.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <stdexcept>

#include "json.h"

namespace edgekit {
namespace {

using executorch::aten::ScalarType;
using executorch::extension::Module;
using executorch::runtime::Error;
using executorch::runtime::Tag;
using executorch::runtime::TensorInfo;

struct Dtype {
  ScalarType type;
  const char* name;
};
constexpr Dtype kDtypes[] = {
    {ScalarType::Byte, "uint8"},   {ScalarType::Char, "int8"},    {ScalarType::Short, "int16"},
    {ScalarType::Int, "int32"},    {ScalarType::Long, "int64"},   {ScalarType::Half, "float16"},
    {ScalarType::Float, "float32"}, {ScalarType::Double, "float64"}, {ScalarType::Bool, "bool"},
};

// ExecuTorch tells the reason of an error only in its log; the last error line is quoted with the code.
std::string last_log_line;

void keep_log(
    et_timestamp_t, et_pal_log_level_t level, const char* file, const char*, size_t line, const char* text, size_t size) {
  const std::string message(text, size);
  if (level != et_pal_log_level_t::kError && level != et_pal_log_level_t::kFatal) return;
  last_log_line = message;
  std::fprintf(stderr, "%s:%zu %s\n", file, line, message.c_str());
}

std::string explain(Error error) {
  char code[16];
  std::snprintf(code, sizeof code, "0x%x", static_cast<unsigned>(error));
  std::string text = std::string(executorch::runtime::to_string(error)).substr(7) + " " + code;
  if (!last_log_line.empty()) text += ": " + last_log_line;
  return text;
}

void check_load(Error error) {
  if (error == Error::Ok) return;
  throw std::runtime_error("ExecuTorch cannot load it (" + explain(error) +
                           "); the file is damaged, of a newer ExecuTorch, or holds an op outside the delegate "
                           "that has no kernel here (error 0x14)");
}

void check_run(Error error) {
  if (error != Error::Ok) throw std::runtime_error("ExecuTorch cannot run it (" + explain(error) + ")");
}

std::string dtype_name(ScalarType type, const std::string& what) {
  for (const Dtype& dtype : kDtypes) {
    if (dtype.type == type) return dtype.name;
  }
  throw std::runtime_error(what + " has scalar type " + std::to_string(static_cast<int>(type)) +
                           ", unknown to numpy; export it as float32");
}

Spec spec_of(const std::string& name, const TensorInfo& info) {
  const auto sizes = info.sizes();
  return {name, dtype_name(info.scalar_type(), name), {sizes.begin(), sizes.end()}};
}

template <typename Value>
Value checked(executorch::runtime::Result<Value>&& result) {
  check_load(result.error());
  return std::move(*result);
}

void check_is_tensor(const executorch::runtime::Result<Tag>& tag, const std::string& name) {
  check_load(tag.error());
  if (*tag != Tag::Tensor) {
    throw std::runtime_error(name + " is not a tensor but a number, text or nothing; export it with tensors only");
  }
}

}  // namespace

void keep_errors() { executorch::runtime::register_pal(executorch::runtime::PalImpl::create(keep_log, __FILE__)); }

Model::Model(const std::string& path, const std::string& method, bool with_profiler) {
  std::error_code ignored;  // of a path that leads nowhere: loading says so
  if (std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored)) {
    throw std::runtime_error("it is not a regular file: a pipe would be waited for without end; give a .pte file");
  }
  std::unique_ptr<executorch::etdump::ETDumpGen> tracer;
  if (with_profiler) {
    tracer = std::make_unique<executorch::etdump::ETDumpGen>();
    tracer_ = tracer.get();
  }
  module_ = std::make_unique<Module>(path, Module::LoadMode::Mmap, std::move(tracer));
  check_load(module_->load(executorch::runtime::Program::Verification::InternalConsistency));
  const auto names = checked(module_->method_names());
  // The only method needs no name.
  const std::string chosen = names.count(method) == 0 && names.size() == 1 ? *names.begin() : method;
  if (names.count(chosen) == 0) {
    std::string known;
    for (const std::string& name : std::set<std::string>(names.begin(), names.end())) {
      known += (known.empty() ? "" : ", ") + name;
    }
    throw std::runtime_error("it has no method '" + method + "', only: " + known +
                             "; choose one of them with --variant");
  }
  check_load(module_->load_method(chosen));
  method_ = checked(module_->method(chosen));
  const auto meta = method_->method_meta();
  for (size_t i = 0; i < meta.num_inputs(); ++i) {
    const std::string name = "input" + std::to_string(i);
    check_is_tensor(meta.input_tag(i), name);
    inputs_.push_back(spec_of(name, checked(meta.input_tensor_meta(i))));
  }
  output_buffers_.resize(meta.num_outputs());
  for (size_t i = 0; i < meta.num_outputs(); ++i) {
    const std::string name = "output" + std::to_string(i);
    check_is_tensor(meta.output_tag(i), name);
    const TensorInfo info = checked(meta.output_tensor_meta(i));
    outputs_.push_back(spec_of(name, info));
    if (!info.is_memory_planned()) {
      output_buffers_[i].resize(info.nbytes());
      check_load(method_->set_output_data_ptr(output_buffers_[i].data(), output_buffers_[i].size(), i));
    }
  }
}

void Model::set_inputs(std::vector<Array> arrays) {
  last_log_line.clear();
  if (arrays.size() != inputs_.size()) {
    throw std::runtime_error("it takes " + std::to_string(inputs_.size()) + " inputs, got " +
                             std::to_string(arrays.size()));
  }
  std::vector<executorch::extension::TensorPtr> tensors;
  for (size_t i = 0; i < arrays.size(); ++i) {
    Array& array = arrays[i];
    const Spec& spec = inputs_[i];
    const auto dtype = std::find_if(
        std::begin(kDtypes), std::end(kDtypes), [&](const Dtype& one) { return one.name == array.dtype; });
    size_t size_bytes = dtype == std::end(kDtypes) ? 0 : executorch::runtime::elementSize(dtype->type);
    for (const int32_t side : array.shape) size_bytes *= side;
    if (array.dtype != spec.dtype || array.shape != spec.shape || array.data.size() != size_bytes) {
      throw std::runtime_error(spec.name + " has shape " + number_list(array.shape) + " " + array.dtype + " in " +
                               std::to_string(array.data.size()) + " bytes; it must be " + number_list(spec.shape) +
                               " " + spec.dtype);
    }
    tensors.push_back(executorch::extension::from_blob(array.data.data(), array.shape, dtype->type));
  }
  arrays_ = std::move(arrays);  // moving keeps the vectors' memory, which the tensors point to
  tensors_ = std::move(tensors);
  values_.assign(tensors_.begin(), tensors_.end());
}

void Model::invoke() {
  for (size_t i = 0; i < values_.size(); ++i) check_run(method_->set_input(values_[i], i));
  check_run(method_->execute());
}

std::vector<Output> Model::get_outputs() const {
  std::vector<Output> outputs;
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const auto tensor = method_->get_output(i).toTensor();
    const auto sizes = tensor.sizes();
    outputs.push_back({dtype_name(tensor.scalar_type(), outputs_[i].name),
                       {sizes.begin(), sizes.end()},
                       {tensor.const_data_ptr(), tensor.nbytes()}});
  }
  return outputs;
}

void Model::forget_events() { tracer_->reset(); }

std::vector<uint8_t> Model::take_etdump() {
  const auto dump = tracer_->get_etdump_data();
  const auto* bytes = static_cast<const uint8_t*>(dump.buf);
  std::vector<uint8_t> copy(bytes, bytes + dump.size);
  if (!tracer_->is_static_etdump()) std::free(dump.buf);
  tracer_->reset();
  return copy;
}

}  // namespace edgekit
