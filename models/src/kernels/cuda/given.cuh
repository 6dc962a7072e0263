// What every kernel is given, and numbers in either precision.
//
// A value lies as (pictures, height, width, channels), its channels filled up to a multiple of eight with zeros, so that
// no kernel has a tail of channels and every run of 16 bytes is aligned. Sums are float32 whatever the numbers are.
#pragma once

// Where everything lies. `models/src/cuda/machine.rs` keeps the same order.
struct Places {
  const void *input;
  const void *other;   // a second value, or constants by channel
  const void *weight;
  const float *bias;   // as many as made channels
  const float *slope;  // the same; what negative sums are multiplied by
  void *output;
};

struct Sizes {
  int pictures;
  int height, width, channels;                 // of the value read
  int made_height, made_width, made_channels;  // of the value made
  int kernel, stride, pad;
  int depth;   // products in a sum
  int slice;   // how many of them a block adds: less than `depth` where partial sums leave
  int pixels;  // of all pictures made together
};

// `N` neighbours that are read and written at once.
template <typename T, int N>
struct __align__(sizeof(T) * N) Run {
  T at[N];
};

// So many numbers are 16 bytes.
template <typename T>
constexpr int WIDE = 16 / sizeof(T);

__device__ inline float single(float v) { return v; }
__device__ inline float single(__half v) { return __half2float(v); }

template <typename T>
__device__ T stored(float v);
template <>
__device__ inline float stored<float>(float v) { return v; }
template <>
__device__ inline __half stored<__half>(float v) { return __float2half_rn(v); }

template <int N, typename T>
__device__ inline Run<T, N> read(const T *from) {
  return *reinterpret_cast<const Run<T, N> *>(from);
}

template <int N, typename T>
__device__ inline void write(T *to, const Run<T, N> &run) {
  *reinterpret_cast<Run<T, N> *>(to) = run;
}

// A sum with its bias, through PReLU: slope 0 is ReLU, 1 is nothing.
__device__ inline float finished(float sum, float bias, float slope) {
  const float v = sum + bias;
  return v > 0.0f ? v : v * slope;
}

__device__ inline int thread_of_all() { return blockIdx.x * blockDim.x + threadIdx.x; }
