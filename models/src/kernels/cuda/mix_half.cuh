// The same convolution in half precision: matrix units multiply, sums stay in single precision.
#pragma once
#include "mix.cuh"

// A block of DOWN by ACROSS warps makes P pixels by C channels; a warp its share in squares of sixteen.
template <int P, int C, int DOWN, int ACROSS, bool POINTWISE>
__device__ inline void mix_half(const Places &at, const Sizes &n) {
  using namespace nvcuda;
  constexpr int DEPTH = 32, EIGHTS = DEPTH / 8, THREADS = DOWN * ACROSS * 32;
  constexpr int INPUTS = P * EIGHTS / THREADS, WEIGHTS = (DEPTH * C / 8 + THREADS - 1) / THREADS;
  // Rows are eight longer than they need be, so that neighbours fall in other banks.
  constexpr int INPUT_ROW = DEPTH + 8, WEIGHT_ROW = C + 8, SUM_ROW = C + 4;
  constexpr int TILES_DOWN = P / DOWN / 16, TILES_ACROSS = C / ACROSS / 16;
  constexpr int FACTORS = (P * INPUT_ROW + DEPTH * WEIGHT_ROW) * sizeof(__half), SUMS = P * SUM_ROW * sizeof(float);
  static_assert(P * EIGHTS % THREADS == 0 && TILES_DOWN > 0 && TILES_ACROSS > 0, "a thread reads whole runs");
  // Factors first, sums afterwards.
  __shared__ __align__(32) unsigned char room[FACTORS > SUMS ? FACTORS : SUMS];
  __half *inputs = reinterpret_cast<__half *>(room), *weights = inputs + P * INPUT_ROW;
  float *sums = reinterpret_cast<float *>(room);

  const int thread = threadIdx.x, warp = thread / 32;
  const int first_pixel = blockIdx.x * P, first_channel = blockIdx.y * C;
  const int begin = blockIdx.z * n.slice, end = min(begin + n.slice, n.depth);
  const __half *input = static_cast<const __half *>(at.input);
  const __half *weight = static_cast<const __half *>(at.weight);

  Window windows[INPUTS];
#pragma unroll
  for (int i = 0; i < INPUTS; i++) windows[i] = window_of<POINTWISE>(n, first_pixel + (thread + i * THREADS) / EIGHTS);
  Run<__half, 8> next_inputs[INPUTS], next_weights[WEIGHTS];
  auto fetch = [&](int product) {
#pragma unroll
    for (int i = 0; i < INPUTS; i++) {
      const int place = thread + i * THREADS;
      next_inputs[i] = inputs_of<POINTWISE, 8>(input, n, windows[i], product + place % EIGHTS * 8, end);
    }
#pragma unroll
    for (int i = 0; i < WEIGHTS; i++) {
      const int place = (thread + i * THREADS) * 8;
      if (place < DEPTH * C)
        next_weights[i] = weights_of<8>(weight, n, product + place / C, first_channel + place % C, end);
    }
  };

  wmma::fragment<wmma::accumulator, 16, 16, 16, float> tiles[TILES_DOWN][TILES_ACROSS];
#pragma unroll
  for (int i = 0; i < TILES_DOWN; i++)
#pragma unroll
    for (int j = 0; j < TILES_ACROSS; j++) wmma::fill_fragment(tiles[i][j], 0.0f);
  const int own_pixel = warp / ACROSS * TILES_DOWN * 16, own_channel = warp % ACROSS * TILES_ACROSS * 16;

  fetch(begin);
  for (int product = begin; product < end; product += DEPTH) {
#pragma unroll
    for (int i = 0; i < INPUTS; i++) {
      const int place = thread + i * THREADS;
      write(inputs + place / EIGHTS * INPUT_ROW + place % EIGHTS * 8, next_inputs[i]);
    }
#pragma unroll
    for (int i = 0; i < WEIGHTS; i++) {
      const int place = (thread + i * THREADS) * 8;
      if (place < DEPTH * C) write(weights + place / C * WEIGHT_ROW + place % C, next_weights[i]);
    }
    __syncthreads();
    if (product + DEPTH < end) fetch(product + DEPTH);
#pragma unroll
    for (int k = 0; k < DEPTH; k += 16) {
      wmma::fragment<wmma::matrix_a, 16, 16, 16, __half, wmma::row_major> a[TILES_DOWN];
      wmma::fragment<wmma::matrix_b, 16, 16, 16, __half, wmma::row_major> b;
#pragma unroll
      for (int i = 0; i < TILES_DOWN; i++)
        wmma::load_matrix_sync(a[i], inputs + (own_pixel + i * 16) * INPUT_ROW + k, INPUT_ROW);
#pragma unroll
      for (int j = 0; j < TILES_ACROSS; j++) {
        wmma::load_matrix_sync(b, weights + k * WEIGHT_ROW + own_channel + j * 16, WEIGHT_ROW);
#pragma unroll
        for (int i = 0; i < TILES_DOWN; i++) wmma::mma_sync(tiles[i][j], a[i], b, tiles[i][j]);
      }
    }
    __syncthreads();
  }

#pragma unroll
  for (int i = 0; i < TILES_DOWN; i++)
#pragma unroll
    for (int j = 0; j < TILES_ACROSS; j++)
      wmma::store_matrix_sync(sums + (own_pixel + i * 16) * SUM_ROW + own_channel + j * 16, tiles[i][j], SUM_ROW,
                              wmma::mem_row_major);
  __syncthreads();

  const bool is_whole = n.slice >= n.depth;
  for (int place = thread * 8; place < P * C; place += THREADS * 8) {
    const int pixel = first_pixel + place / C, channel = first_channel + place % C;
    if (pixel >= n.pixels || channel >= n.made_channels) continue;
    const float *from = sums + place / C * SUM_ROW + place % C;
    const int to = pixel * n.made_channels + channel;
    if (is_whole) {
      const Run<float, 8> added = added_at<8, __half>(at, to);
      Run<__half, 8> made;
#pragma unroll
      for (int j = 0; j < 8; j++)
        made.at[j] = stored<__half>(finished(from[j] + added.at[j], at.bias[channel + j], at.slope[channel + j]));
      write(static_cast<__half *>(at.output) + to, made);
    } else {
      float *parts = static_cast<float *>(at.output) + static_cast<size_t>(blockIdx.z) * n.pixels * n.made_channels;
#pragma unroll
      for (int j = 0; j < 8; j += 4) write(parts + to + j, read<4>(from + j));
    }
  }
}
