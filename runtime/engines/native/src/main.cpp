// edgekit-runner: the process in which one ExecuTorch model runs, without Python and torch.
//
// Requests come on stdin, answers go to what was stdout: see wire.h. The fields are those of
// runtime/engines/messages.py.
#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "memory.h"
#include "model.h"
#include "threads.h"
#include "wire.h"

#ifndef EXECUTORCH_VERSION
#define EXECUTORCH_VERSION "of unknown version"
#endif

namespace edgekit {
namespace {

int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

void sleep_until(int64_t moment_ns) {
  const timespec moment{static_cast<time_t>(moment_ns / 1'000'000'000), static_cast<long>(moment_ns % 1'000'000'000)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &moment, nullptr) == EINTR) {
  }
}

std::string spec_list(const std::vector<Spec>& specs) {
  std::string text = "[";
  for (const Spec& spec : specs) {
    text += (text.size() > 1 ? ",[" : "[") + quoted(spec.name) + "," + quoted(spec.dtype) + "," +
            number_list(spec.shape) + "]";
  }
  return text + "]";
}

class Runner {
 public:
  explicit Runner(std::FILE* answers) : answers_(answers) {}

  // Returns whether the answer could be delivered.
  bool answer(Request& request) {
    try {
      const std::string& type = request.head.text_at("type");
      if (type == "Load") return load(request.head);
      if (type == "Run") return run(request);
      if (type == "Sample") return sample(request);
      if (type == "Profile") return profile(request);
      if (type == "TellPlan") return fail("only LiteRT decides when it loads a file which ops its delegate runs");
      return fail(type + " is not a request");
    } catch (const std::exception& error) {
      return fail(error.what());
    }
  }

  bool fail(const std::string& message) {
    return write_answer(answers_, "{\"type\":\"Failed\",\"message\":" + quoted(message) + "}");
  }

 private:
  bool load(const Json& head) {
    if (model_) return fail("a model is loaded already; start a runner for each");
    if (head.text_at("engine") != "executorch") return fail("this runner has only the engine executorch");
    if (head.object.count("cpus") && !head.at("cpus").is_null()) {
      std::vector<int64_t> cpus;
      for (const Json& cpu : head.list_at("cpus")) cpus.push_back(cpu.integer());
      pin(cpus);  // before the pool exists: its threads inherit this
    }
    size_pool(head.integer_at("threads"));
    const int64_t held_bytes = begin_load();
    const int64_t start_ns = now_ns();
    model_ = std::make_unique<Model>(
        head.text_at("path"), head.text_at("graph"), head.boolean_at("with_profiler", false));
    const int64_t load_ns = now_ns() - start_ns;
    return write_answer(
        answers_,
        "{\"type\":\"Loaded\",\"inputs\":" + spec_list(model_->inputs()) + ",\"outputs\":" +
            spec_list(model_->outputs()) + ",\"cpus\":" + number_list(allowed_cpus()) + ",\"version\":" +
            quoted(std::string("executorch ") + EXECUTORCH_VERSION + " native") + ",\"load_ns\":" +
            std::to_string(load_ns) + ",\"held_bytes\":" + (held_bytes < 0 ? "null" : std::to_string(held_bytes)) + "}");
  }

  bool run(Request& request) {
    Model& model = loaded();
    const bool want_outputs = request.head.boolean_at("want_outputs", true);
    model.set_inputs(std::move(request.inputs));
    const int64_t latency_ns = timed_ns(model);
    std::string arrays;
    std::vector<Blob> blobs;
    if (want_outputs) {
      for (const Output& output : model.get_outputs()) {
        arrays += (arrays.empty() ? "" : ",") + ("{\"dtype\":" + quoted(output.dtype)) + ",\"shape\":" +
                  number_list(output.shape) + ",\"size_bytes\":" + std::to_string(output.data.size_bytes) + "}";
        blobs.push_back(output.data);
      }
    }
    return write_answer(
        answers_,
        "{\"type\":\"Ran\",\"latency_ns\":" + std::to_string(latency_ns) + ",\"outputs\":[" + arrays + "]}", blobs);
  }

  bool sample(Request& request) {
    Model& model = loaded();
    const int64_t warmup = request.head.integer_at("warmup"), runs = request.head.integer_at("runs");
    model.set_inputs(std::move(request.inputs));
    const std::string first_ns = is_cold_ ? std::to_string(timed_ns(model)) : "null";
    for (int64_t i = 0; i < warmup; ++i) model.invoke();
    std::vector<int64_t> latencies_ns;
    latencies_ns.reserve(runs > 0 ? runs : 0);
    const int64_t period_ns = request.head.integer_at("period_ns", 0), begin_ns = now_ns();
    for (int64_t i = 0; i < runs; ++i) {
      if (period_ns > 0) sleep_until(begin_ns + i * period_ns);
      latencies_ns.push_back(timed_ns(model));
    }
    return write_answer(
        answers_, "{\"type\":\"Sampled\",\"first_ns\":" + first_ns + ",\"latencies_ns\":" + number_list(latencies_ns) +
                      ",\"threads\":" + std::to_string(count_threads()) + "}");
  }

  bool profile(Request& request) {
    Model& model = loaded();
    if (!model.has_profiler()) return fail("the model was loaded without its profiler; load it with_profiler");
    const int64_t warmup = request.head.integer_at("warmup"), runs = request.head.integer_at("runs");
    model.set_inputs(std::move(request.inputs));
    for (int64_t i = 0; i < warmup; ++i) timed_ns(model);
    model.forget_events();
    for (int64_t i = 0; i < runs; ++i) timed_ns(model);
    const std::vector<uint8_t> dump = model.take_etdump();
    return write_answer(
        answers_, "{\"type\":\"Dumped\",\"size_bytes\":" + std::to_string(dump.size()) + "}",
        {{dump.data(), dump.size()}});
  }

  Model& loaded() {
    if (!model_) throw std::runtime_error("no model is loaded yet");
    return *model_;
  }

  int64_t timed_ns(Model& model) {
    is_cold_ = false;
    const int64_t start_ns = now_ns();
    model.invoke();
    return now_ns() - start_ns;
  }

  std::FILE* answers_;
  std::unique_ptr<Model> model_;
  bool is_cold_ = true;
};

int serve() {
  // Whatever a library prints to stdout goes to stderr, off the pipe.
  const int pipe = dup(STDOUT_FILENO);
  std::FILE* answers = pipe < 0 ? nullptr : fdopen(pipe, "wb");
  if (answers == nullptr || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
    std::perror("edgekit-runner: no stdout");
    return 1;
  }
  keep_errors();
  Runner runner(answers);
  try {
    while (auto request = read_request(stdin)) {
      if (!runner.answer(*request)) return 1;  // the owner is gone
    }
  } catch (const std::exception& error) {
    runner.fail(error.what());  // where the next request begins is not known any more
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace edgekit

int main(int argc, char** argv) {
  if (argc > 1) {
    const bool is_version = std::string(argv[1]) == "--version";
    std::printf(is_version ? "edgekit-runner, executorch %s\n" : "edgekit-runner: requests on stdin, executorch %s\n",
                EXECUTORCH_VERSION);
    return is_version ? 0 : 2;
  }
  signal(SIGINT, SIG_IGN);  // Ctrl-C is the owner's; it closes the pipe
  signal(SIGPIPE, SIG_IGN);
  return edgekit::serve();
}
