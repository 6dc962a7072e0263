// What is done to each number by itself, or to a few of them: 16 bytes of channels a thread.
#pragma once
#include "given.cuh"

// The greatest of each 2×2; an odd last row or column is left out.
template <typename T>
__device__ inline void halve_by_max(const Places &at, const Sizes &n) {
  const Piece to = piece_of_thread<T>(n);
  if (!to.is_there) return;
  const Spot spot = spot_of(n, to.pixel);
  const int corner = (spot.picture * n.height + 2 * spot.y) * n.width + 2 * spot.x;
  const auto a = piece_at<T>(at.input, n, corner, to.channel), b = piece_at<T>(at.input, n, corner + 1, to.channel);
  const int below = corner + n.width;
  const auto c = piece_at<T>(at.input, n, below, to.channel), d = piece_at<T>(at.input, n, below + 1, to.channel);
  write_piece<T>(at, n, to, [&](int j) { return fmaxf(fmaxf(a.at[j], b.at[j]), fmaxf(c.at[j], d.at[j])); });
}

// `input` plus `other` with every pixel doubled in both directions.
template <typename T>
__device__ inline void add_doubled(const Places &at, const Sizes &n) {
  const Piece to = piece_of_thread<T>(n);
  if (!to.is_there) return;
  const Spot spot = spot_of(n, to.pixel);
  const int small = (spot.picture * (n.height / 2) + spot.y / 2) * (n.width / 2) + spot.x / 2;
  const auto a = piece_at<T>(at.input, n, to.pixel, to.channel), b = piece_at<T>(at.other, n, small, to.channel);
  write_piece<T>(at, n, to, [&](int j) { return a.at[j] + b.at[j]; });
}

// `input` plus `added`, bent.
template <typename T>
__device__ inline void add(const Places &at, const Sizes &n) {
  const Piece to = piece_of_thread<T>(n);
  if (!to.is_there) return;
  const auto a = piece_at<T>(at.input, n, to.pixel, to.channel), b = piece_at<T>(at.added, n, to.pixel, to.channel);
  write_piece<T>(at, n, to, [&](int j) { return bent(a.at[j] + b.at[j], at.slope[to.channel + j]); });
}

// `input · other + added`, where `other` is one pixel of each picture, and `added` may be none.
template <typename T>
__device__ inline void scale_by(const Places &at, const Sizes &n) {
  const Piece to = piece_of_thread<T>(n);
  if (!to.is_there) return;
  const auto v = piece_at<T>(at.input, n, to.pixel, to.channel);
  const auto by = piece_at<T>(at.other, n, spot_of(n, to.pixel).picture, to.channel);
  Run<float, WIDE<T>> plus = {};
  if (at.added) plus = piece_at<T>(at.added, n, to.pixel, to.channel);
  write_piece<T>(at, n, to, [&](int j) { return fmaf(v.at[j], by.at[j], plus.at[j]); });
}

// `input · weight + bias` by channel, bent.
template <typename T>
__device__ inline void affine(const Places &at, const Sizes &n) {
  const Piece to = piece_of_thread<T>(n);
  if (!to.is_there) return;
  const auto v = piece_at<T>(at.input, n, to.pixel, to.channel);
  const float *scale = static_cast<const float *>(at.weight) + to.channel;
  const float *shift = at.bias + to.channel, *slope = at.slope + to.channel;
  write_piece<T>(at, n, to, [&](int j) { return bent(fmaf(v.at[j], scale[j], shift[j]), slope[j]); });
}

// What fills channels up stays zero.
template <typename T>
__device__ inline void sigmoid_of_each(const Places &at, const Sizes &n) {
  const Piece to = piece_of_thread<T>(n);
  if (!to.is_there) return;
  const auto v = piece_at<T>(at.input, n, to.pixel, to.channel);
  write_piece<T>(at, n, to, [&](int j) { return to.channel + j < n.count ? sigmoid(v.at[j]) : 0.0f; });
}

// The channels of `input` as `count` channels from `first` on; zeros where it has none. Number by number: what is joined
// before may end anywhere.
template <typename T>
__device__ inline void join(const Places &at, const Sizes &n) {
  const int index = thread_of_all();
  if (index >= n.pixels * n.count) return;
  const int channel = index % n.count, pixel = index / n.count;
  const T *input = static_cast<const T *>(at.input) + pixel * n.channels;
  const T made = channel < n.channels ? input[channel] : stored<T>(0.0f);
  static_cast<T *>(at.output)[pixel * n.made_channels + n.first + channel] = made;
}

// The mean of each channel over all pixels of a picture. A block makes one piece: each thread adds some of the pixels,
// then they add one another's sums, always in the same order.
template <typename T>
__device__ inline void global_mean(const Places &at, const Sizes &n) {
  constexpr int N = WIDE<T>, THREADS = 128;
  __shared__ float sums[N][THREADS];
  const int pieces = n.channels / N, picture = blockIdx.x / pieces, channel = blockIdx.x % pieces * N;
  const int thread = threadIdx.x, size = n.height * n.width;
  Run<float, N> own = {};
  for (int pixel = thread; pixel < size; pixel += THREADS) {
    const auto v = piece_at<T>(at.input, n, picture * size + pixel, channel);
#pragma unroll
    for (int j = 0; j < N; j++) own.at[j] += v.at[j];
  }
#pragma unroll
  for (int j = 0; j < N; j++) sums[j][thread] = own.at[j];
  for (int others = THREADS / 2; others > 0; others /= 2) {
    __syncthreads();
    if (thread >= others) continue;
#pragma unroll
    for (int j = 0; j < N; j++) sums[j][thread] += sums[j][thread + others];
  }
  if (thread > 0) return;
  write_piece<T>(at, n, Piece{picture, channel, true}, [&](int j) { return sums[j][0] / static_cast<float>(size); });
}
