// The kernels on the CPU, for the tests: the same lines, block after block, thread after thread.
//
// Reads requests from standard input and answers on standard output; `models/src/cuda/emulated.rs` is the other side.
// Threads of a block that meet are fibres: each runs until it waits, then the next. Without a wait that is needed the
// order shows: pass `backwards` and the last thread runs first. Memory is handed out so that it ends at a page nobody
// may touch, and is filled with NaN.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "emulator.hpp"

#include "usher.cu"

namespace {

bool backwards = false;
std::vector<ucontext_t> fibres;
std::vector<bool> is_done;
ucontext_t scheduler;
int running = 0;
Kernel body = nullptr;
const Places *places = nullptr;
const Sizes *sizes = nullptr;

void enter() {
  body(*places, *sizes);
  is_done[running] = true;
  swapcontext(&fibres[running], &scheduler);
}

void run_block(const Entry &kernel, int threads) {
  constexpr size_t STACK = 64 * 1024;
  // No kernel has more threads.
  static std::unique_ptr<char[]> stacks(new char[256 * STACK]);
  auto nth = [&](int i) { return backwards ? threads - 1 - i : i; };
  if (!kernel.meets) {
    for (int i = 0; i < threads; i++) {
      threadIdx.x = nth(i);
      kernel.body(*places, *sizes);
    }
    return;
  }
  body = kernel.body;
  fibres.resize(threads);
  is_done.assign(threads, false);
  for (int i = 0; i < threads; i++) {
    getcontext(&fibres[i]);
    fibres[i].uc_stack.ss_sp = &stacks[i * STACK];
    fibres[i].uc_stack.ss_size = STACK;
    fibres[i].uc_link = nullptr;
    makecontext(&fibres[i], enter, 0);
  }
  for (bool all_done = false; !all_done;) {
    all_done = true;
    for (int i = 0; i < threads; i++) {
      running = nth(i);
      if (is_done[running]) continue;
      threadIdx.x = running;
      swapcontext(&scheduler, &fibres[running]);
      all_done = all_done && is_done[running];
    }
  }
}

char *allocated(size_t bytes) {
  const size_t page = sysconf(_SC_PAGESIZE), whole = (bytes + page - 1) / page * page + page;
  void *memory = mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) exit(3);
  char *end = static_cast<char *>(memory) + whole - page;
  mprotect(end, page, PROT_NONE);
  memset(end - bytes, 0xff, bytes);
  return end - bytes;
}

template <typename T>
T asked() {
  T value;
  if (fread(&value, sizeof value, 1, stdin) != 1) exit(2);
  return value;
}

}  // namespace

void __syncthreads() { swapcontext(&fibres[running], &scheduler); }

int main(int count, char **arguments) {
  backwards = count > 1 && strcmp(arguments[1], "backwards") == 0;
  for (int request; (request = getchar()) != EOF;) {
    if (request == 'a') {
      char *memory = allocated(asked<uint64_t>());
      fwrite(&memory, sizeof memory, 1, stdout);
    } else if (request == 'w') {
      char *to = asked<char *>();
      const size_t bytes = asked<uint64_t>();
      if (fread(to, 1, bytes, stdin) != bytes) return 2;
    } else if (request == 'r') {
      const char *from = asked<char *>();
      fwrite(from, 1, asked<uint64_t>(), stdout);
    } else if (request == 'l') {
      std::string name(asked<uint32_t>(), ' ');
      if (fread(name.data(), 1, name.size(), stdin) != name.size()) return 2;
      const auto grid = asked<dim3>();
      const int threads = asked<uint32_t>();
      const auto at = asked<Places>();
      const auto n = asked<Sizes>();
      const auto kernel = kernels().find(name);
      if (kernel == kernels().end() || threads > kernel->second.threads) {
        fprintf(stderr, "no kernel %s of %d threads\n", name.c_str(), threads);
        return 4;
      }
      places = &at, sizes = &n;
      blockDim.x = threads;
      for (blockIdx.z = 0; blockIdx.z < grid.z; blockIdx.z++)
        for (blockIdx.y = 0; blockIdx.y < grid.y; blockIdx.y++)
          for (blockIdx.x = 0; blockIdx.x < grid.x; blockIdx.x++) run_block(kernel->second, threads);
    } else {
      return 5;
    }
    fflush(stdout);
  }
}
