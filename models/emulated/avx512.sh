#!/bin/sh
# A test binary ($1, its arguments after it) on an emulated machine that has AVX-512.
#
# Neither qemu nor valgrind knows these instructions; Bochs does, but it emulates a whole machine: a kernel of this one's
# packages ($KERNEL) is booted from a CD that holds the binary and the libraries it was linked with, and what they print
# comes back over a serial line. Emulated at 50 million instructions a second or less: minutes for what takes seconds.
set -eu
: "${KERNEL:?a Linux image, bzImage}"
binary=$1
shift

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/root/bin" "$work/cd"
cp "$(command -v busybox)" "$work/root/bin/busybox"
objcopy --strip-debug "$binary" "$work/root/tests"
ldd "$binary" | grep -o '/[^ ]*' | while read -r library; do
  mkdir -p "$work/root$(dirname "$library")"
  cp -L "$library" "$work/root$library"
done
cat > "$work/root/init" <<INIT
#!/bin/busybox sh
/bin/busybox mkdir -p /proc /tmp
/bin/busybox mount -t proc proc /proc
/bin/busybox grep -q avx512_vnni /proc/cpuinfo || echo "this machine has no AVX-512"
cd /tmp
PROPTEST_CASES=${PROPTEST_CASES:-8} PROPTEST_MAX_SHRINK_ITERS=0 /tests --test-threads 1 $*
echo "ended with \$?"
/bin/busybox sleep 1
/bin/busybox poweroff -f
INIT
chmod +x "$work/root/init"
(cd "$work/root" && find . | cpio --quiet -o -H newc > "$work/cd/initrd")
cp "$KERNEL" "$work/cd/linux"
cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$work/cd"
# Ice Lake as Bochs makes it has flaws that Linux stumbles over: protection keys and compact saved states of another size
# than it says, and short moves that are called fast where long ones are not.
cat > "$work/cd/isolinux.cfg" <<'BOOT'
default linux
label linux
  kernel linux
  append initrd=initrd console=ttyS0 quiet panic=-1 mitigations=off clearcpuid=fsrm,pku,ospke,xsaves,xsavec
BOOT
xorriso -as mkisofs -quiet -o "$work/cd.iso" -b isolinux.bin -c boot.cat -no-emul-boot -boot-load-size 4 \
  -boot-info-table "$work/cd" 2> "$work/xorriso"

cat > "$work/machine" <<MACHINE
cpu: model=corei7_icelake_u, ips=100000000, reset_on_triple_fault=0, ignore_bad_msrs=1
memory: guest=1024, host=1024
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.stdvga.bin
ata0-master: type=cdrom, path=$work/cd.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$work/serial
sound: driver=dummy
display_library: term
clock: sync=none
log: $work/log
panic: action=fatal
MACHINE
# Debian's Bochs stops for its debugger first, and shows the emulated screen in a terminal.
echo c > "$work/go"
touch "$work/serial"
tail -n +1 -f "$work/serial" &
shown=$!
TERM=vt100 timeout "${LIMIT:-3600}" script -qec "bochs -q -f $work/machine -rc $work/go" /dev/null \
  < /dev/null > "$work/screen" 2>&1 || true
sleep 1
kill $shown
grep -q '^ended with 0' "$work/serial" || { echo "the emulated machine did not pass"; tail -n 5 "$work/log"; exit 1; }
