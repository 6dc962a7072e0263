#!/bin/sh
# nvcc ($REAL_NVCC), but for candle's kernels of quantised language models.
#
# We run none of them and they take a quarter of an hour on two cores. What asks for PTX gets it; their objects are empty.
set -eu
: "${REAL_NVCC:?the compiler that does the rest}"
output='' skip='' library='' before=''
for argument in "$@"; do
  [ "$before" != -o ] || output=$argument
  case "$argument" in
    */mmq_gguf/*.cu | */mmvq_gguf.cu | */moe/*.cu | src/mmq_gguf/* | src/moe/*) skip=yes ;;
    --lib) library=yes ;;
  esac
  before=$argument
done
if [ -n "$skip" ]; then
  ${CC:-cc} -x c -c - -o "$output" < /dev/null
elif [ -n "$library" ]; then
  rm -f "$output"
  ar crs "$output"
else
  exec "$REAL_NVCC" "$@"
fi
