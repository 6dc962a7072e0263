#!/bin/bash
# The Debian packages, from what was built: debian/build.sh OUT [USHER]
#
# OUT is the folder they come to, USHER the binary (target/release/usher). The same binary and SOURCE_DATE_EPOCH (the last
# commit's time unless given) give the same bytes. VERSION: a version of your own (`0.2.0~rc1`); UPDATE_PUB: a file with the
# public keys whose updates the box shall take; SBOM: a bill of materials that was made before.
set -eu -o pipefail
cd "$(dirname "$0")/.."
out=$(realpath -m "$1") usher=${2:-target/release/usher}
version=${VERSION:-$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)}
architecture=$(dpkg --print-architecture)
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)}
export LC_ALL=C.UTF-8 TZ=UTC

work=$out/source
rm -rf "$work"
mkdir -p "$work/debian/source" "$work/built/examples"
cp debian/control debian/rules debian/usher.yaml debian/usher.post* debian/usher.prerm debian/usher.docs debian/usher-signage.* \
  debian/usher.lintian-overrides "$work/debian/"
echo '3.0 (native)' > "$work/debian/source/format"
# Debhelper's names for what is in systemd/.
for package in usher usher-signage; do
  install -m 0644 "systemd/$package.service" "$work/debian/$package.service"
  install -m 0644 "systemd/$package.sysusers.conf" "$work/debian/$package.sysusers"
done
install -m 0644 systemd/usher-update.service "$work/debian/usher.usher-update.service"
install -m 0644 systemd/usher.tmpfiles.conf "$work/debian/usher.tmpfiles"
cat > "$work/debian/changelog" <<END
usher ($version) stable; urgency=medium

  * What has changed is told in releases.md.

 -- $(sed -n 's/^Maintainer: //p' debian/control)  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
END

built=$work/built
install -m 0755 "$usher" "$built/usher"
"$built/usher" manual "$built/manual"
ls "$built"/manual/man/*.1 | sed "s|^$work/||" > "$work/debian/usher.manpages"
"$built/usher" schema > "$built/usher.schema.json"
cp config/usher.yaml config/programme.yaml config/places.geojson systemd/usher.journald.conf "$built/examples/"
cp -r docs README.md "$built/"
cp CHANGELOG.md "$built/releases.md"
printf '{"package":"usher","version":"%s","architecture":"%s","made":%d}\n' "$version" "$architecture" "$SOURCE_DATE_EPOCH" > "$built/release.json"
cp "${UPDATE_PUB:-debian/update.pub}" "$built/update.pub"
python3 debian/copyright.py "$work/debian/copyright"
if [ -n "${SBOM:-}" ]; then cp "$SBOM" "$built/usher.cdx.json"; else python3 debian/sbom.py "$version" "$built/usher.cdx.json"; fi

rm -f "$out"/*.deb "$out"/*.buildinfo "$out"/*.changes
(cd "$work" && dpkg-buildpackage --build=binary --no-sign --no-check-builddeps --no-pre-clean > "$out/build.log" 2>&1) || { tail -40 "$out/build.log"; exit 1; }
rm -rf "$work"
ls -l "$out"/*.deb
