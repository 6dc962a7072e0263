#!/bin/sh
# A stand-in for nvcc: lets `cargo check` type-check the `cuda` feature on a machine without the CUDA toolkit.
#
# candle's build scripts ask nvcc for its version, then for PTX files and for a static library. This writes empty ones:
# good enough for the type checker, useless for running. Used by `make check-cuda` and by nothing else.
set -eu
output='' folder='' mode='' source=''
while [ $# -gt 0 ]; do
  case "$1" in
    --version)
      printf '%s\n' 'nvcc: NVIDIA (R) Cuda compiler driver' 'a stand-in for checking' '' \
        'Cuda compilation tools, release 13.0, V13.0.88'
      exit 0
      ;;
    -o) output=$2; shift ;;
    --output-directory) folder=$2; shift ;;
    --ptx | -ptx) mode=ptx ;;
    --lib) mode=lib ;;
    *.cu) source=$1 ;;
  esac
  shift
done
case "$mode" in
  ptx) : > "$folder/$(basename "$source" .cu).ptx" ;;
  lib) rm -f "$output"; ar crs "$output" ;;
  *) if [ -n "$output" ]; then : > "$output"; fi ;;
esac
