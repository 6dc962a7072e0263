#!/usr/bin/env python3
"""Static libraries libcuda.a, libcublas.a, … that load the real ones when they are first called.

usage: lazy_stubs.py CUDARC_SOURCE FOLDER [CC] [AR]     (x86-64 and aarch64)

Stock candle links CUDA's libraries and does not start where they are missing. Here each C function that cudarc names is
a jump through a slot: the first call opens the real library (several names are tried) and fills the slot. A library or
function that is missing answers with a status that means "no device", so that opening one is an error and no more.
"""

import pathlib
import re
import subprocess
import sys

src, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
cc = sys.argv[3] if len(sys.argv) > 3 else "cc"
ar = sys.argv[4] if len(sys.argv) > 4 else "ar"
machine = subprocess.run([cc, "-dumpmachine"], capture_output=True, text=True).stdout
arm = machine.startswith("aarch64")
LIBS = {  # link name -> (cudarc module, sonames, status when absent)
 "cuda":     ("driver",   ["libcuda.so.1", "libcuda.so"], 100),
 "nvrtc":    ("nvrtc",    ["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"], 5),
 "curand":   ("curand",   ["libcurand.so.10", "libcurand.so"], 203),
 "cublas":   ("cublas",   ["libcublas.so.13", "libcublas.so.12", "libcublas.so"], 1),
 "cublasLt": ("cublaslt", ["libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so"], 1),
 "cudnn":    ("cudnn",    ["libcudnn.so.9", "libcudnn.so"], 1),
}
X86 = """
.text
.Lcommon:
  pushq %rdi; pushq %rsi; pushq %rdx; pushq %rcx; pushq %r8; pushq %r9; pushq %rax
  subq $136,%rsp
  movups %xmm0,(%rsp); movups %xmm1,16(%rsp); movups %xmm2,32(%rsp); movups %xmm3,48(%rsp)
  movups %xmm4,64(%rsp); movups %xmm5,80(%rsp); movups %xmm6,96(%rsp); movups %xmm7,112(%rsp)
  movq 192(%rsp),%rdi
  call lazy_resolve_LIB
  movq %rax,%r11
  movups (%rsp),%xmm0; movups 16(%rsp),%xmm1; movups 32(%rsp),%xmm2; movups 48(%rsp),%xmm3
  movups 64(%rsp),%xmm4; movups 80(%rsp),%xmm5; movups 96(%rsp),%xmm6; movups 112(%rsp),%xmm7
  addq $136,%rsp
  popq %rax; popq %r9; popq %r8; popq %rcx; popq %rdx; popq %rsi; popq %rdi
  addq $8,%rsp
  jmp *%r11
"""
ARM = """
.text
.Lcommon:
  stp x29,x30,[sp,#-224]!
  stp x0,x1,[sp,#16]; stp x2,x3,[sp,#32]; stp x4,x5,[sp,#48]; stp x6,x7,[sp,#64]; str x8,[sp,#80]
  stp q0,q1,[sp,#96]; stp q2,q3,[sp,#128]; stp q4,q5,[sp,#160]; stp q6,q7,[sp,#192]
  mov x0,x17
  bl lazy_resolve_LIB
  mov x16,x0
  ldp x0,x1,[sp,#16]; ldp x2,x3,[sp,#32]; ldp x4,x5,[sp,#48]; ldp x6,x7,[sp,#64]; ldr x8,[sp,#80]
  ldp q0,q1,[sp,#96]; ldp q2,q3,[sp,#128]; ldp q4,q5,[sp,#160]; ldp q6,q7,[sp,#192]
  ldp x29,x30,[sp],#224
  br x16
"""
C = """#include <dlfcn.h>
#include <stddef.h>
extern const char *const lazy_names_LIB[]; extern void *lazy_slots_LIB[];
static const char *const sonames[] = { SONAMES, NULL };
static long missing(void) { return CODE; }
static void *handle; static int tried;
int lazy_have_LIB(void) {
  if (!__atomic_load_n(&tried, __ATOMIC_ACQUIRE)) {
    for (const char *const *s = sonames; *s && !handle; s++) handle = dlopen(*s, RTLD_NOW | RTLD_GLOBAL);
    __atomic_store_n(&tried, 1, __ATOMIC_RELEASE);
  }
  return handle != NULL;
}
__attribute__((visibility("hidden"))) void *lazy_resolve_LIB(long i) {
  void *p = lazy_have_LIB() ? dlsym(handle, lazy_names_LIB[i]) : NULL;
  if (!p) p = (void *)missing;
  __atomic_store_n(&lazy_slots_LIB[i], p, __ATOMIC_RELEASE);
  return p;
}
"""
out.mkdir(parents=True, exist_ok=True)
for lib, (mod, sonames, code) in LIBS.items():
    names = sorted(set(re.findall(r"^\s+(?:pub )?fn (cu[A-Za-z0-9_]+|nvrtc[A-Za-z0-9_]+)\(",
                       "\n".join(p.read_text() for p in (src/"src"/mod/"sys").glob("*.rs")), re.M)))
    s = (ARM if arm else X86).replace("LIB", lib).replace(";", "\n")
    # hidden slots
    for i, n in enumerate(names):
        s += f".globl {n}\n.type {n},%function\n{n}:\n" if arm else f".globl {n}\n.type {n},@function\n{n}:\n"
        if arm:
            s += f"  adrp x16,.Lslot{i}\n  ldr x16,[x16,:lo12:.Lslot{i}]\n  br x16\n.Lres{i}:\n  mov w17,#{i}\n  b .Lcommon\n"
        else:
            s += f"  jmp *.Lslot{i}(%rip)\n.Lres{i}:\n  pushq ${i}\n  jmp .Lcommon\n"
        s += f".size {n},.-{n}\n"
    s += f".data\n.balign 8\n.globl lazy_slots_{lib}\n.hidden lazy_slots_{lib}\nlazy_slots_{lib}:\n"
    for i, n in enumerate(names): s += f".Lslot{i}: .quad .Lres{i}\n"
    s += f".section .data.rel.ro,\"aw\"\n.balign 8\n.globl lazy_names_{lib}\n.hidden lazy_names_{lib}\nlazy_names_{lib}:\n"
    for i, n in enumerate(names): s += f"  .quad .Lname{i}\n"
    s += ".section .rodata\n" + "".join(f'.Lname{i}: .asciz "{n}"\n' for i, n in enumerate(names))
    s += '.section .note.GNU-stack,"",%progbits\n'
    (out/f"{lib}.S").write_text(s)
    (out/f"{lib}_r.c").write_text(C.replace("LIB", lib).replace("SONAMES", ",".join(f'"{x}"' for x in sonames)).replace("CODE", str(code)))
    for f in (f"{lib}.S", f"{lib}_r.c"):
        subprocess.run([cc, "-O2", "-fPIC", "-c", f, "-o", f + ".o"], cwd=out, check=True)
    a = out/f"lib{lib}.a"; a.unlink(missing_ok=True)
    subprocess.run([ar, "crs", f"lib{lib}.a", f"{lib}.S.o", f"{lib}_r.c.o"], cwd=out, check=True)
    print(lib, len(names), a.stat().st_size)
