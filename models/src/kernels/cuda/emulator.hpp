// What the kernels take from CUDA, as far as they take it.
//
// A fragment of a matrix unit is the warp's; here the warp's first thread does all of its work. What it needs from the
// others, and they from it, must be separated by `__syncthreads` for that: more than CUDA asks for, not less.
#pragma once
#include <cmath>
#include <cstdint>
#include <map>
#include <string>

#define __device__
#define __shared__ static
#define __align__(n) __attribute__((aligned(n)))

struct dim3 {
  uint32_t x, y, z;
};
static dim3 threadIdx, blockIdx, blockDim;
void __syncthreads();

using std::min;

#if defined(__aarch64__)
typedef __fp16 Half;
#else
typedef _Float16 Half;
#endif
struct __half {
  Half v;
};
static inline float __half2float(__half h) { return static_cast<float>(h.v); }
static inline __half __float2half_rn(float v) { return __half{static_cast<Half>(v)}; }

namespace nvcuda {
namespace wmma {
struct matrix_a {};
struct matrix_b {};
struct accumulator {};
struct row_major {};
enum layout_t { mem_row_major };
template <typename Use, int M, int N, int K, typename T, typename Layout = void>
struct fragment {
  float at[16][16];
};
static inline bool is_first() { return threadIdx.x % 32 == 0; }
// As the matrix unit asks: a whole 32 bytes.
static inline void aligned(const void *pointer) {
  if (reinterpret_cast<uintptr_t>(pointer) % 32 != 0) __builtin_trap();
}
template <typename F>
void fill_fragment(F &f, float v) {
  if (!is_first()) return;
  for (auto &row : f.at)
    for (auto &one : row) one = v;
}
template <typename F>
void load_matrix_sync(F &f, const __half *from, unsigned stride) {
  aligned(from);
  if (!is_first()) return;
  for (int i = 0; i < 16; i++)
    for (int j = 0; j < 16; j++) f.at[i][j] = __half2float(from[i * stride + j]);
}
template <typename D, typename A, typename B, typename C>
void mma_sync(D &d, const A &a, const B &b, const C &c) {
  if (!is_first()) return;
  for (int i = 0; i < 16; i++) {
    float sums[16];
    for (int j = 0; j < 16; j++) sums[j] = c.at[i][j];
    for (int k = 0; k < 16; k++)
      for (int j = 0; j < 16; j++) sums[j] += a.at[i][k] * b.at[k][j];
    for (int j = 0; j < 16; j++) d.at[i][j] = sums[j];
  }
}
template <typename F>
void store_matrix_sync(float *to, const F &f, unsigned stride, layout_t) {
  aligned(to);
  if (!is_first()) return;
  for (int i = 0; i < 16; i++)
    for (int j = 0; j < 16; j++) to[i * stride + j] = f.at[i][j];
}
}  // namespace wmma
}  // namespace nvcuda

struct Places;
struct Sizes;
using Kernel = void (*)(const Places &, const Sizes &);
struct Entry {
  Kernel body;
  int threads;
  bool meets;
};
inline std::map<std::string, Entry> &kernels() {
  static std::map<std::string, Entry> all;
  return all;
}
struct Named {
  Named(const char *name, Entry entry) { kernels()[name] = entry; }
};
#define KERNEL(name, threads, meets, ...) static const Named named_##name(#name, Entry{__VA_ARGS__, threads, meets});
