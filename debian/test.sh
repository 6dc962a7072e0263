#!/bin/bash
# The packages in a fresh root: installed, tried, updated, removed, purged: debian/test.sh FOLDER [MIRROR]
#
# As root. The mirror is that of this machine's apt unless given. Nothing outside a folder of its own is touched.
set -eu -o pipefail
packages=$(realpath "$1")
mirror=${2:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' 2>/dev/null | grep -m1 debian || echo http://deb.debian.org/debian)}
root=$(mktemp -d)
trap 'umount "$root/proc" "$root/dev" 2>/dev/null || true; rm -rf --one-file-system "$root"' EXIT
here() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }
said() { echo "==> $*"; }
fail() { echo "FAILED: $*" >&2; exit 1; }

said "a fresh Debian 12 from $mirror"
debootstrap --variant=minbase --include=ca-certificates bookworm "$root" "$mirror" > "$packages/debootstrap.log" 2>&1 || { tail -5 "$packages/debootstrap.log"; exit 1; }
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
# No service of a chroot is ever started.
printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
cp /etc/resolv.conf "$root/etc/resolv.conf"
for file in /etc/apt/apt.conf.d/*proxy*; do [ ! -e "$file" ] || cp "$file" "$root/etc/apt/apt.conf.d/"; done
mkdir "$root/packages"
cp "$packages"/usher_*.deb "$packages"/usher-signage_*.deb "$root/packages/"
here sh -c 'find / -xdev ! -path "/proc/*" ! -path "/packages*" ! -path "/tmp/*" | sort' > "$packages/before.txt"

said "installing, with what it depends on"
here sh -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends /packages/usher_*.deb' > "$packages/install.log" 2>&1 || { tail -20 "$packages/install.log"; exit 1; }
grep -q "installed, and not started" "$packages/install.log" || fail "the package does not say what to do first"
here usher --version
here getent passwd usher | grep -q /var/lib/usher || fail "no user was made"
[ "$(here stat -c '%U:%G %a' /var/lib/usher)" = "usher:usher 700" ] || fail "the data folder is not usher's alone"
[ "$(here stat -c '%U:%G %a' /etc/usher)" = "root:usher 750" ] || fail "/etc/usher is $(here stat -c '%U:%G %a' /etc/usher)"
[ "$(here stat -c '%U:%G %a' /etc/usher/usher.yaml)" = "root:usher 640" ] || fail "the configuration may be read by others"
[ -z "$(here find /etc/systemd -name 'usher.service')" ] || fail "a gate without a configuration was enabled"
here systemd-analyze verify --man=no /lib/systemd/system/usher.service || fail "the unit is not in order"
[ -e "$root/usr/share/man/man1/usher-doctor.1.gz" ] || fail "a manual page is missing"
code=0; here usher doctor --timeout 1 > "$packages/doctor.txt" || code=$?
[ $code = 78 ] || fail "the doctor says $code about a gate that is not configured"
grep -q "decoders.*H.264: avdec_h264" "$packages/doctor.txt" || { cat "$packages/doctor.txt"; fail "decoders are missing"; }

said "an update, signed, into the same root"
here usher update key /root/update.key > "$root/etc/usher/update.pub"
tree=$root/root/tree
dpkg-deb -R "$root"/packages/usher_*.deb "$tree"
sed -i 's/^Version: .*/Version: 99.0/' "$tree/DEBIAN/control"
sed -i 's/"version":"[^"]*"/"version":"99.0"/' "$tree/usr/lib/usher/packaged/release.json"
dpkg-deb -Zgzip -z1 --root-owner-group -b "$tree" "$root/root/usher_99.deb" > /dev/null
here usher update sign --key /root/update.key /root/usher_99.deb
# A configuration that holds, since an update is tried on the one that is there; no gate runs, none is started.
cp "$root/usr/share/doc/usher/examples/usher.yaml" "$root/etc/usher/usher.yaml"
here usher update /root/usher_99.usher
here readlink /usr/lib/usher/current | grep -q 99.0 || fail "the update is not current"
here systemd-analyze verify --man=no /lib/systemd/system/usher.service /lib/systemd/system/usher-update.service || fail "the units are not in order"
here usher update --back
[ "$(here readlink /usr/lib/usher/current)" = packaged ] || fail "it did not go back"
here usher update /root/usher_99.usher > /dev/null
said "installing the package again makes it current again"
here sh -c 'dpkg -i --force-confold /packages/usher_*.deb' > "$packages/again.log" 2>&1 || { cat "$packages/again.log"; exit 1; }
[ "$(here readlink /usr/lib/usher/current)" = packaged ] || fail "dpkg's own release is not current"

said "removing keeps what is the site's, purging leaves nothing"
here sh -c 'umask 077; head -c 32 /dev/urandom > /var/lib/usher/gallery.key; touch /var/lib/usher/gallery.db /var/lib/usher/audit.log /etc/usher/gallery.key.cred'
here apt-get remove -y -qq usher > "$packages/remove.log" 2>&1
grep -q "stays" "$packages/remove.log" || fail "nobody was told that the data stay"
[ -e "$root/var/lib/usher/gallery.key" ] || fail "removing destroyed the key"
here apt-get purge -y -qq usher > "$packages/purge.log" 2>&1
grep "^usher:" "$packages/purge.log"
grep -q "the box key, first" "$packages/purge.log" || fail "nobody was told what was destroyed"
here getent passwd usher && fail "the user is still there"
rm -rf "$root/root/tree" "$root"/root/usher_99.* "$root/root/update.key"
left=$(here sh -c 'find / -xdev ! -path "/proc/*" ! -path "/packages*" ! -path "/tmp/*" | sort' | comm -13 "$packages/before.txt" - | grep -i usher || true)
[ -z "$left" ] || fail "left behind: $left"
said "everything held"
