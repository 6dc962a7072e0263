// Where pictures enter and numbers leave: both as `(B, C, H, W)` float32.
#pragma once
#include "given.cuh"

// The picture as the other kernels want it. `channels` are the caller's, `made_channels` filled up.
template <typename T>
__device__ inline void take(const Places &at, const Sizes &n) {
  const int index = thread_of_all();
  if (index >= n.pixels) return;
  const int size = n.height * n.width, picture = index / size, pixel = index % size;
  const float *input = static_cast<const float *>(at.input) + picture * n.channels * size + pixel;
  T *output = static_cast<T *>(at.output) + index * n.made_channels;
  for (int channel = 0; channel < n.made_channels; channel += 8) {
    Run<T, 8> made;
#pragma unroll
    for (int j = 0; j < 8; j++) made.at[j] = stored<T>(channel + j < n.channels ? input[(channel + j) * size] : 0.0f);
    // Two writes of 16 bytes in single precision.
#pragma unroll
    for (int j = 0; j < 8; j += WIDE<T>) {
      Run<T, WIDE<T>> part;
#pragma unroll
      for (int i = 0; i < WIDE<T>; i++) part.at[i] = made.at[j + i];
      write(output + channel + j, part);
    }
  }
}

// A convolution of the picture itself, each colour times `other[colour]` plus `other[colours + colour]` before.
template <typename T>
__device__ inline void colours(const Places &at, const Sizes &n) {
  constexpr int N = 8;
  const int index = thread_of_all();
  if (index >= n.pixels * (n.made_channels / N)) return;
  const int channel = index / n.pixels * N, pixel = index % n.pixels;
  const Spot spot = spot_of(n, pixel);
  const int size = n.height * n.width;
  const float *input = static_cast<const float *>(at.input) + spot.picture * n.channels * size;
  const float *weight = static_cast<const float *>(at.weight) + channel;
  const float *scale = static_cast<const float *>(at.other), *shift = scale + n.channels;
  float sums[N] = {};
  for (int down = 0; down < n.kernel; down++) {
    const int y = spot.y * n.stride - n.pad + down;
    if (static_cast<unsigned>(y) >= static_cast<unsigned>(n.height)) continue;
    for (int across = 0; across < n.kernel; across++) {
      const int x = spot.x * n.stride - n.pad + across;
      if (static_cast<unsigned>(x) >= static_cast<unsigned>(n.width)) continue;
      for (int colour = 0; colour < n.channels; colour++) {
        const float v = fmaf(input[colour * size + y * n.width + x], scale[colour], shift[colour]);
        const float *w = weight + ((down * n.kernel + across) * n.channels + colour) * n.made_channels;
        const Run<float, 4> low = read<4>(w), high = read<4>(w + 4);
#pragma unroll
        for (int j = 0; j < 4; j++) {
          sums[j] = fmaf(v, low.at[j], sums[j]);
          sums[j + 4] = fmaf(v, high.at[j], sums[j + 4]);
        }
      }
    }
  }
  T *output = static_cast<T *>(at.output) + pixel * n.made_channels + channel;
#pragma unroll
  for (int j = 0; j < N; j += WIDE<T>) {
    Run<T, WIDE<T>> made;
#pragma unroll
    for (int i = 0; i < WIDE<T>; i++)
      made.at[i] = stored<T>(finished(sums[j + i], at.bias[channel + j + i], at.slope[channel + j + i]));
    write(output + j, made);
  }
}

// Where a channel leaves to: the first number of its output, its place among the output's channels, their number, and
// through what: 0 nothing, -1 a sigmoid, else a softmax over so many neighbours. No channels: it does not leave.
struct Leaving {
  int first, place, count, ending;
};

// `e^v` over its sum over `classes` neighbours, of which `v` is one.
template <typename T>
__device__ inline float share(const T *neighbours, int classes, float v) {
  float most = v, sum = 0.0f;
  for (int i = 0; i < classes; i++) most = fmaxf(most, single(neighbours[i]));
  for (int i = 0; i < classes; i++) sum += expf(single(neighbours[i]) - most);
  return expf(v - most) / sum;
}

template <typename T>
__device__ inline void leave(const Places &at, const Sizes &n) {
  const int index = thread_of_all(), size = n.height * n.width;
  if (index >= n.pixels * n.channels) return;
  // Neighbours write neighbours.
  const int pixel = index % size, channel = index / size % n.channels, picture = index / size / n.channels;
  const Leaving leaving = static_cast<const Leaving *>(at.other)[channel];
  if (leaving.count == 0) return;
  const T *input = static_cast<const T *>(at.input) + (picture * size + pixel) * n.channels + channel;
  float v = single(*input);
  if (leaving.ending < 0) v = sigmoid(v);
  if (leaving.ending > 0) v = share(input - leaving.place % leaving.ending, leaving.ending, v);
  static_cast<float *>(at.output)[leaving.first + (picture * leaving.count + leaving.place) * size + pixel] = v;
}
