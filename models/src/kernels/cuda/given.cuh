// What every kernel is given, and numbers in either precision.
//
// A value lies as (pictures, height, width, channels), its channels filled up to a multiple of eight with zeros, so that
// no kernel has a tail of channels and every run of 16 bytes is aligned. Sums are float32 whatever the numbers are.
#pragma once

// Where everything lies. `models/src/cuda/machine.rs` keeps the same order.
struct Places {
  const void *input;
  const void *other;   // a second value, or constants by channel
  const void *added;   // a value of the size of what is made, added before the activation; or none
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
  int first, count;  // of channels that are made: the first, and their number
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

// Through PReLU: slope 0 is ReLU, 1 is nothing.
__device__ inline float bent(float v, float slope) { return v > 0.0f ? v : v * slope; }

// A sum with its bias, bent.
__device__ inline float finished(float sum, float bias, float slope) { return bent(sum + bias, slope); }

__device__ inline float sigmoid(float v) { return 1.0f / (1.0f + expf(-v)); }

__device__ inline int thread_of_all() { return blockIdx.x * blockDim.x + threadIdx.x; }

// Where a pixel that is made lies.
struct Spot {
  int picture, y, x;
};

__device__ inline Spot spot_of(const Sizes &n, int pixel) {
  const int row = pixel / n.made_width;
  return Spot{row / n.made_height, row % n.made_height, pixel % n.made_width};
}

// What a thread makes where threads know nothing of each other: 16 bytes of channels of one pixel.
struct Piece {
  int pixel, channel;
  bool is_there;
};

template <typename T>
__device__ inline Piece piece_of_thread(const Sizes &n) {
  const int pieces = n.made_channels / WIDE<T>, index = thread_of_all();
  return Piece{index / pieces, index % pieces * WIDE<T>, index / pieces < n.pixels};
}

// As many channels of a value that has as many as the one made.
template <typename T>
__device__ inline Run<float, WIDE<T>> piece_at(const void *value, const Sizes &n, int pixel, int channel) {
  const Run<T, WIDE<T>> run = read<WIDE<T>>(static_cast<const T *>(value) + pixel * n.made_channels + channel);
  Run<float, WIDE<T>> made;
#pragma unroll
  for (int j = 0; j < WIDE<T>; j++) made.at[j] = single(run.at[j]);
  return made;
}

// Writes the channels of a piece, of which `made` tells each.
template <typename T, typename Made>
__device__ inline void write_piece(const Places &at, const Sizes &n, const Piece &piece, Made made) {
  Run<T, WIDE<T>> run;
#pragma unroll
  for (int j = 0; j < WIDE<T>; j++) run.at[j] = stored<T>(made(j));
  write(static_cast<T *>(at.output) + piece.pixel * n.made_channels + piece.channel, run);
}
