// One method of one ExecuTorch program.
#pragma once

#include <executorch/devtools/etdump/etdump_flatcc.h>
#include <executorch/extension/module/module.h>
#include <executorch/extension/tensor/tensor_ptr.h>
#include <executorch/extension/tensor/tensor_ptr_maker.h>

#include <memory>
#include <string>
#include <vector>

#include "wire.h"

namespace edgekit {

struct Spec {
  std::string name;
  std::string dtype;
  std::vector<int32_t> shape;
};

struct Output {
  std::string dtype;
  std::vector<int32_t> shape;
  Blob data;
};

// Lets ExecuTorch's errors be quoted in ours; call it before anything of ExecuTorch runs.
void keep_errors();

// Every error is a std::runtime_error whose text a user understands.
class Model {
 public:
  Model(const std::string& path, const std::string& method, bool with_profiler);

  const std::vector<Spec>& inputs() const { return inputs_; }
  const std::vector<Spec>& outputs() const { return outputs_; }

  // Keeps `arrays` till the next call.
  void set_inputs(std::vector<Array> arrays);

  // Runs one frame; this alone is timed. It hands the inputs over each time: their memory is used again within a frame.
  void invoke();

  // Of the last frame; valid till the next.
  std::vector<Output> get_outputs() const;

  bool has_profiler() const { return tracer_ != nullptr; }
  void forget_events();
  std::vector<uint8_t> take_etdump();

 private:
  std::unique_ptr<executorch::extension::Module> module_;
  executorch::etdump::ETDumpGen* tracer_ = nullptr;  // module_ owns it
  executorch::runtime::Method* method_ = nullptr;    // module_ owns it
  std::vector<Spec> inputs_, outputs_;
  std::vector<Array> arrays_;
  std::vector<executorch::extension::TensorPtr> tensors_;
  std::vector<executorch::runtime::EValue> values_;
  std::vector<std::vector<uint8_t>> output_buffers_;
};

}  // namespace edgekit
