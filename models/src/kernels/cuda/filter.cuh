// Depthwise convolutions: each channel by itself, weights and sums in single precision.
#pragma once
#include "given.cuh"

// A thread makes `ROW` neighbours of a row, of 16 bytes of channels; what their windows share is read once.
template <typename T, int KERNEL, int STRIDE, int ROW>
__device__ inline void filter(const Places &at, const Sizes &n) {
  constexpr int N = WIDE<T>, READ = (ROW - 1) * STRIDE + KERNEL;
  const int groups = n.channels / N, rows_of = (n.made_width + ROW - 1) / ROW;
  const int index = thread_of_all();
  if (index >= n.pictures * n.made_height * rows_of * groups) return;
  const int channel = index % groups * N, first = index / groups % rows_of * ROW;
  const int made_row = index / groups / rows_of, made_y = made_row % n.made_height, picture = made_row / n.made_height;
  const T *input = static_cast<const T *>(at.input) + picture * n.height * n.width * n.channels + channel;
  const float *weight = static_cast<const float *>(at.weight) + channel;

  float sums[ROW][N] = {};
#pragma unroll
  for (int down = 0; down < KERNEL; down++) {
    const int y = made_y * STRIDE - n.pad + down;
    if (static_cast<unsigned>(y) >= static_cast<unsigned>(n.height)) continue;
    Run<T, N> row[READ];
#pragma unroll
    for (int i = 0; i < READ; i++) {
      const int x = first * STRIDE - n.pad + i;
      const bool is_there = static_cast<unsigned>(x) < static_cast<unsigned>(n.width);
      row[i] = is_there ? read<N>(input + (y * n.width + x) * n.channels) : Run<T, N>{};
    }
#pragma unroll
    for (int across = 0; across < KERNEL; across++) {
      const Run<float, N> w = read<N>(weight + (down * KERNEL + across) * n.channels);
#pragma unroll
      for (int i = 0; i < ROW; i++)
#pragma unroll
        for (int j = 0; j < N; j++) sums[i][j] = fmaf(single(row[i * STRIDE + across].at[j]), w.at[j], sums[i][j]);
    }
  }
  T *output = static_cast<T *>(at.output) + (made_row * n.made_width + first) * n.channels + channel;
#pragma unroll
  for (int i = 0; i < ROW; i++) {
    if (first + i >= n.made_width) return;
    Run<T, N> made;
#pragma unroll
    for (int j = 0; j < N; j++) made.at[j] = stored<T>(finished(sums[i][j], at.bias[channel + j], at.slope[channel + j]));
    write(output + i * n.channels, made);
  }
}

// The same for any square kernel and stride.
template <typename T>
__device__ inline void filter_any(const Places &at, const Sizes &n) {
  constexpr int N = WIDE<T>;
  const Piece to = piece_of_thread<T>(n);
  if (!to.is_there) return;
  const Spot spot = spot_of(n, to.pixel);
  const float *weight = static_cast<const float *>(at.weight) + to.channel;
  const T *input = static_cast<const T *>(at.input) + spot.picture * n.height * n.width * n.channels;
  float sums[N] = {};
  for (int down = 0; down < n.kernel; down++) {
    const int y = spot.y * n.stride - n.pad + down;
    if (static_cast<unsigned>(y) >= static_cast<unsigned>(n.height)) continue;
    for (int across = 0; across < n.kernel; across++) {
      const int x = spot.x * n.stride - n.pad + across;
      if (static_cast<unsigned>(x) >= static_cast<unsigned>(n.width)) continue;
      const auto v = piece_at<T>(input, n, y * n.width + x, to.channel);
      const Run<float, N> w = read<N>(weight + (down * n.kernel + across) * n.channels);
#pragma unroll
      for (int j = 0; j < N; j++) sums[j] = fmaf(v.at[j], w.at[j], sums[j]);
    }
  }
  const float *bias = at.bias + to.channel, *slope = at.slope + to.channel;
  write_piece<T>(at, n, to, [&](int j) { return finished(sums[j], bias[j], slope[j]); });
}
