// Every kernel under the name by which it is launched (`models/src/cuda/launches.rs`).
//
// Compiled to PTX for compute capability 8.0, which the driver translates for the device it finds, Orin to Hopper; and by
// the tests as C++ (`emulator.cpp`), which runs the same lines on the CPU.
#ifdef __CUDACC__
#include <cuda_fp16.h>
#include <mma.h>
#endif

#include "edges.cuh"
#include "filter.cuh"
#include "mix.cuh"
#include "mix_half.cuh"
#include "pieces.cuh"

// KERNEL(name, threads of a block at most, whether threads of a block meet, what it does)
#ifndef KERNEL
#define KERNEL(name, threads, meets, ...) \
  extern "C" __global__ void __launch_bounds__(threads) name(const Places at, const Sizes n) { __VA_ARGS__(at, n); }
#endif

// The tiles of `launches.rs`: pixels by channels of a block.
#define MIXES(kind, pointwise) \
  KERNEL(kind##_single_128x64, 256, true, mix_single<128, 64, 8, 4, pointwise>) \
  KERNEL(kind##_single_128x32, 128, true, mix_single<128, 32, 8, 4, pointwise>) \
  KERNEL(kind##_single_128x16, 128, true, mix_single<128, 16, 4, 4, pointwise>) \
  KERNEL(kind##_single_32x32, 64, true, mix_single<32, 32, 4, 4, pointwise>) \
  KERNEL(kind##_half_128x64, 256, true, mix_half<128, 64, 4, 2, pointwise>) \
  KERNEL(kind##_half_128x32, 128, true, mix_half<128, 32, 4, 1, pointwise>) \
  KERNEL(kind##_half_128x16, 128, true, mix_half<128, 16, 4, 1, pointwise>) \
  KERNEL(kind##_half_32x32, 128, true, mix_half<32, 32, 2, 2, pointwise>)

MIXES(mix, true)
MIXES(window, false)

#define BOTH(precision, T) \
  KERNEL(finish_##precision, 128, false, finish<T>) \
  KERNEL(filter_any_##precision, 128, false, filter_any<T>) \
  KERNEL(filter_3x3_by_1_##precision, 128, false, filter<T, 3, 1, 4>) \
  KERNEL(filter_3x3_by_2_##precision, 128, false, filter<T, 3, 2, 4>) \
  KERNEL(filter_3x3_by_1_small_##precision, 128, false, filter<T, 3, 1, 1>) \
  KERNEL(filter_3x3_by_2_small_##precision, 128, false, filter<T, 3, 2, 1>) \
  KERNEL(take_##precision, 128, false, take<T>) \
  KERNEL(colours_##precision, 128, false, colours<T>) \
  KERNEL(leave_##precision, 128, false, leave<T>) \
  KERNEL(halve_by_max_##precision, 128, false, halve_by_max<T>) \
  KERNEL(add_doubled_##precision, 128, false, add_doubled<T>) \
  KERNEL(add_##precision, 128, false, add<T>) \
  KERNEL(scale_by_##precision, 128, false, scale_by<T>) \
  KERNEL(affine_##precision, 128, false, affine<T>) \
  KERNEL(sigmoid_##precision, 128, false, sigmoid_of_each<T>) \
  KERNEL(join_##precision, 128, false, join<T>) \
  KERNEL(global_mean_##precision, 128, true, global_mean<T>)

BOTH(single, float)
BOTH(half, __half)
