// What is done to each number by itself, or to four at a time: 16 bytes of channels a thread.
#pragma once
#include "given.cuh"

// The greatest of each 2×2; an odd last row or column is left out.
template <typename T>
__device__ inline void halve_by_max(const Places &at, const Sizes &n) {
  constexpr int N = WIDE<T>;
  const int groups = n.channels / N, index = thread_of_all();
  if (index >= n.pixels * groups) return;
  const int channel = index % groups * N, pixel = index / groups;
  const int x = pixel % n.made_width, y = pixel / n.made_width % n.made_height;
  const int picture = pixel / n.made_width / n.made_height;
  const T *input = static_cast<const T *>(at.input) + ((picture * n.height + 2 * y) * n.width + 2 * x) * n.channels + channel;
  const Run<T, N> a = read<N>(input), b = read<N>(input + n.channels);
  const Run<T, N> c = read<N>(input + n.width * n.channels), d = read<N>(input + (n.width + 1) * n.channels);
  Run<T, N> made;
#pragma unroll
  for (int j = 0; j < N; j++)
    made.at[j] = stored<T>(fmaxf(fmaxf(single(a.at[j]), single(b.at[j])), fmaxf(single(c.at[j]), single(d.at[j]))));
  write(static_cast<T *>(at.output) + pixel * n.channels + channel, made);
}

// `input` plus `other` with every pixel doubled in both directions.
template <typename T>
__device__ inline void add_doubled(const Places &at, const Sizes &n) {
  constexpr int N = WIDE<T>;
  const int groups = n.channels / N, index = thread_of_all();
  if (index >= n.pixels * groups) return;
  const int channel = index % groups * N, pixel = index / groups;
  const int x = pixel % n.width, y = pixel / n.width % n.height, picture = pixel / n.width / n.height;
  const int small = (picture * (n.height / 2) + y / 2) * (n.width / 2) + x / 2;
  const Run<T, N> a = read<N>(static_cast<const T *>(at.input) + pixel * n.channels + channel);
  const Run<T, N> b = read<N>(static_cast<const T *>(at.other) + small * n.channels + channel);
  Run<T, N> made;
#pragma unroll
  for (int j = 0; j < N; j++) made.at[j] = stored<T>(single(a.at[j]) + single(b.at[j]));
  write(static_cast<T *>(at.output) + pixel * n.channels + channel, made);
}

// `input · slope + bias` by channel.
template <typename T>
__device__ inline void affine(const Places &at, const Sizes &n) {
  constexpr int N = WIDE<T>;
  const int groups = n.channels / N, index = thread_of_all();
  if (index >= n.pixels * groups) return;
  const int channel = index % groups * N, place = index / groups * n.channels + channel;
  const Run<T, N> v = read<N>(static_cast<const T *>(at.input) + place);
  Run<T, N> made;
#pragma unroll
  for (int j = 0; j < N; j++) made.at[j] = stored<T>(fmaf(single(v.at[j]), at.slope[channel + j], at.bias[channel + j]));
  write(static_cast<T *>(at.output) + place, made);
}
