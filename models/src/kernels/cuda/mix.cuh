// A convolution that mixes channels, as a matrix product: pixels by products, products by channels.
//
// A product is a pair of a tap and a channel, channel fastest; 1×1 convolutions and fully connected layers read their
// input as it lies, others find each run of channels by its tap (nothing is gathered in memory). A block makes P pixels
// by C channels, a thread RP by RC of them. A sum may be cut into slices, one block each, where there are too few blocks
// for the device: then partial sums leave, and `finish` adds them in a fixed order. A residual is added with the bias.
#pragma once
#include "given.cuh"

// Where the window of a pixel begins.
struct Window {
  int base;  // of its picture, or of itself where the kernel is 1×1
  int y, x;
  bool is_there;
};

template <bool POINTWISE>
__device__ inline Window window_of(const Sizes &n, int pixel) {
  if (POINTWISE) return Window{pixel * n.depth, 0, 0, pixel < n.pixels};
  const Spot spot = spot_of(n, pixel);
  const int base = spot.picture * n.height * n.width * n.channels;
  return Window{base, spot.y * n.stride - n.pad, spot.x * n.stride - n.pad, pixel < n.pixels};
}

// The products' inputs from `product` on; zeros outside of the picture, the slice and the batch.
template <bool POINTWISE, int N, typename T>
__device__ inline Run<T, N> inputs_of(const T *input, const Sizes &n, const Window &window, int product, int end) {
  Run<T, N> none = {};
  if (!window.is_there || product >= end) return none;
  if (POINTWISE) return read<N>(input + window.base + product);
  const int tap = product / n.channels, channel = product - tap * n.channels;
  const int down = tap / n.kernel, y = window.y + down, x = window.x + tap - down * n.kernel;
  if (static_cast<unsigned>(y) >= static_cast<unsigned>(n.height)) return none;
  if (static_cast<unsigned>(x) >= static_cast<unsigned>(n.width)) return none;
  return read<N>(input + window.base + (y * n.width + x) * n.channels + channel);
}

template <int N, typename T>
__device__ inline Run<T, N> weights_of(const T *weight, const Sizes &n, int product, int channel, int end) {
  Run<T, N> none = {};
  if (product >= end || channel >= n.made_channels) return none;
  return read<N>(weight + product * n.made_channels + channel);
}

// What is added to the sums that stand at `place` of what is made: zeros where nothing is.
template <int N, typename T>
__device__ inline Run<float, N> added_at(const Places &at, int place) {
  Run<float, N> added = {};
  if (!at.added) return added;
  const Run<T, N> run = read<N>(static_cast<const T *>(at.added) + place);
#pragma unroll
  for (int j = 0; j < N; j++) added.at[j] = single(run.at[j]);
  return added;
}

// Single precision: register tiles of fused multiply-adds.
template <int P, int C, int RP, int RC, bool POINTWISE>
__device__ inline void mix_single(const Places &at, const Sizes &n) {
  constexpr int DEPTH = 16, FOURS = DEPTH / 4, THREADS = (P / RP) * (C / RC);
  constexpr int INPUTS = P * FOURS / THREADS, WEIGHTS = (DEPTH * C / 4 + THREADS - 1) / THREADS;
  // A pixel's products lie in a column; four columns more, so that the four that a thread writes fall in other banks.
  constexpr int COLUMNS = P + 4;
  static_assert(P * FOURS % THREADS == 0 && RP % 4 == 0 && RC == 4, "a thread reads whole runs");
  __shared__ __align__(16) float inputs[DEPTH * COLUMNS];
  __shared__ __align__(16) float weights[DEPTH * C];

  const int thread = threadIdx.x;
  const int first_pixel = blockIdx.x * P, first_channel = blockIdx.y * C;
  const int begin = blockIdx.z * n.slice, end = min(begin + n.slice, n.depth);
  const float *input = static_cast<const float *>(at.input);
  const float *weight = static_cast<const float *>(at.weight);

  Window windows[INPUTS];
#pragma unroll
  for (int i = 0; i < INPUTS; i++) windows[i] = window_of<POINTWISE>(n, first_pixel + (thread + i * THREADS) / FOURS);
  Run<float, 4> next_inputs[INPUTS], next_weights[WEIGHTS];
  auto fetch = [&](int product) {
#pragma unroll
    for (int i = 0; i < INPUTS; i++) {
      const int place = thread + i * THREADS;
      next_inputs[i] = inputs_of<POINTWISE, 4>(input, n, windows[i], product + place % FOURS * 4, end);
    }
#pragma unroll
    for (int i = 0; i < WEIGHTS; i++) {
      const int place = (thread + i * THREADS) * 4;
      if (place < DEPTH * C)
        next_weights[i] = weights_of<4>(weight, n, product + place / C, first_channel + place % C, end);
    }
  };

  float sums[RP][RC] = {};
  const int own_pixel = thread / (C / RC) * RP, own_channel = thread % (C / RC) * RC;
  fetch(begin);
  for (int product = begin; product < end; product += DEPTH) {
#pragma unroll
    for (int i = 0; i < INPUTS; i++) {
      const int place = thread + i * THREADS;
#pragma unroll
      for (int j = 0; j < 4; j++) inputs[(place % FOURS * 4 + j) * COLUMNS + place / FOURS] = next_inputs[i].at[j];
    }
#pragma unroll
    for (int i = 0; i < WEIGHTS; i++) {
      const int place = (thread + i * THREADS) * 4;
      if (place < DEPTH * C) write(weights + place, next_weights[i]);
    }
    __syncthreads();
    if (product + DEPTH < end) fetch(product + DEPTH);
#pragma unroll
    for (int k = 0; k < DEPTH; k++) {
      float a[RP];
#pragma unroll
      for (int i = 0; i < RP; i += 4) {
        const Run<float, 4> four = read<4>(inputs + k * COLUMNS + own_pixel + i);
#pragma unroll
        for (int j = 0; j < 4; j++) a[i + j] = four.at[j];
      }
      const Run<float, 4> b = read<4>(weights + k * C + own_channel);
#pragma unroll
      for (int i = 0; i < RP; i++)
#pragma unroll
        for (int j = 0; j < RC; j++) sums[i][j] = fmaf(a[i], b.at[j], sums[i][j]);
    }
    __syncthreads();
  }

  const int channel = first_channel + own_channel;
  if (channel >= n.made_channels) return;
  const bool is_whole = n.slice >= n.depth;
  float *output = static_cast<float *>(at.output);
  if (!is_whole) output += static_cast<size_t>(blockIdx.z) * n.pixels * n.made_channels;
#pragma unroll
  for (int i = 0; i < RP; i++) {
    const int pixel = first_pixel + own_pixel + i;
    if (pixel >= n.pixels) return;
    const int place = pixel * n.made_channels + channel;
    Run<float, 4> made;
#pragma unroll
    for (int j = 0; j < RC; j++) made.at[j] = sums[i][j];
    if (is_whole) {
      const Run<float, 4> added = added_at<4, float>(at, place);
#pragma unroll
      for (int j = 0; j < RC; j++)
        made.at[j] = finished(made.at[j] + added.at[j], at.bias[channel + j], at.slope[channel + j]);
    }
    write(output + place, made);
  }
}

// Partial sums of all slices, added, with bias and slope.
template <typename T>
__device__ inline void finish(const Places &at, const Sizes &n) {
  const int index = thread_of_all() * 4, all = n.pixels * n.made_channels;
  if (index >= all) return;
  const float *parts = static_cast<const float *>(at.input);
  float sums[4] = {};
  const int slices = (n.depth + n.slice - 1) / n.slice;
  for (int slice = 0; slice < slices; slice++) {
    const Run<float, 4> part = read<4>(parts + static_cast<size_t>(slice) * all + index);
#pragma unroll
    for (int j = 0; j < 4; j++) sums[j] += part.at[j];
  }
  const int channel = index % n.made_channels;
  const Run<float, 4> added = added_at<4, T>(at, index);
  Run<T, 4> made;
#pragma unroll
  for (int j = 0; j < 4; j++)
    made.at[j] = stored<T>(finished(sums[j] + added.at[j], at.bias[channel + j], at.slope[channel + j]));
  write(static_cast<T *>(at.output) + index, made);
}
