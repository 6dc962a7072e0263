#!/usr/bin/env python3
"""Which events a turnstile may act on: signed by a box's key for this topic, of now, not heard before.

    mosquitto_sub -t usher/v1/SITE/gate/GATE/visit -F '%t %p' | verify.py KEY usher/v1/SITE/gate/GATE/visit [SECONDS]

KEY is what `usher events key` prints on the box. Lines of topic, blank and event come in, those that may be believed go out.
An example of some forty lines for programs of your own; it needs the package `cryptography`. `usher events verify` does the same.
"""

import json
import sys
from datetime import datetime, timedelta, timezone

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

BEFORE, AFTER, DIGITS = b',"signature":"', b'"}', 128


def is_signed(key: Ed25519PublicKey, topic: bytes, body: bytes) -> bool:
    """Whether `body`, byte for byte as it came, was signed for `topic`: its last field is the signature of all before it."""
    said, tail = body[: -len(BEFORE) - DIGITS - len(AFTER)], body[-len(BEFORE) - DIGITS - len(AFTER) :]
    if not (tail.startswith(BEFORE) and tail.endswith(AFTER)):
        return False
    try:
        key.verify(bytes.fromhex(tail[len(BEFORE) : -len(AFTER)].decode()), topic + b"\n" + said)
        return True
    except (InvalidSignature, ValueError):
        return False


def main() -> None:
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(sys.argv[1]))
    wanted, age = sys.argv[2].encode(), timedelta(seconds=float(sys.argv[3]) if len(sys.argv) > 3 else 30)
    heard: dict[str, datetime] = {}
    for line in sys.stdin.buffer:
        topic, _, body = line.rstrip(b"\n").partition(b" ")
        if topic != wanted or not is_signed(key, topic, body):
            continue
        event, now = json.loads(body), datetime.now(timezone.utc)
        said, ends = (datetime.fromisoformat(event[field].replace("Z", "+00:00")) for field in ("time", "expiresat"))
        heard = {one: end for one, end in heard.items() if end > now}
        if not (now - age <= said <= now + timedelta(minutes=1) and now < ends) or event["id"] in heard:
            continue
        heard[event["id"]] = ends
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
