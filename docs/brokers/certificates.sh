#!/bin/sh
# Certificates of a site's broker: certificates.sh FOLDER HOST NAME…
# An authority (ca), a server's certificate for HOST (a name or an IPv4 address) and one for each NAME, as NAME.pem and NAME.key. Run again with
# further names for further clients; keep ca.key off the network, since whoever has it is everybody.
set -eu
folder=$1 host=$2
shift 2
umask 077
mkdir -p "$folder"
cd "$folder"
curve="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"

[ -e ca.pem ] || openssl req -x509 $curve -days 3650 -subj "/CN=usher broker authority" -keyout ca.key -out ca.pem

sign() { # NAME EXTENSIONS
  [ ! -e "$1.pem" ] || return 0
  openssl req $curve -subj "/CN=$1" -keyout "$1.key" -out "$1.csr"
  printf '%s\n' "$2" >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 825 -extfile "$1.ext" -out "$1.pem"
  rm "$1.csr" "$1.ext"
}

case $host in
  *[!0-9.]*) sign server "subjectAltName=DNS:$host
extendedKeyUsage=serverAuth" ;;
  *) sign server "subjectAltName=IP:$host
extendedKeyUsage=serverAuth" ;;
esac
for name; do sign "$name" "extendedKeyUsage=clientAuth"; done
