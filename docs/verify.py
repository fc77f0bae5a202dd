#!/usr/bin/env python3
"""Checks a dump of the log, and its anchors, without any code of Routix. Needs Python 3.10 and nothing else.

    psql "$DATABASE_URL" -At -c "COPY (SELECT json_build_object(
        'position', position, 'aggregate_type', aggregate_type, 'aggregate_id', aggregate_id, 'sequence', sequence,
        'event_type', event_type, 'event_version', event_version, 'event_id', event_id, 'payload', payload::text,
        'metadata', metadata::text, 'owner_id', owner_id, 'chain', encode(chain, 'hex'),
        'recorded_us', (extract(epoch FROM recorded_at) * 1000000)::bigint)
        FROM events ORDER BY position) TO STDOUT WITH (FORMAT csv, QUOTE e'\\x01', DELIMITER e'\\x02')" > log.ndjson
    routix log public-key > public-key
    python3 verify.py log.ndjson [folder of anchors, file of the public key]

Ends with 0 when all holds, with 1 at the first fault. docs/contracts.md says what is checked, and why.
"""

import hashlib
import json
import struct
import sys
import uuid
from pathlib import Path

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def recover_x(y, sign):
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        raise ValueError("not a point of the curve")
    return P - x if x & 1 != sign else x


def point(encoded):
    number = int.from_bytes(encoded, "little")
    y, sign = number & (2**255 - 1), number >> 255
    if y >= P:
        raise ValueError("not a point of the curve")
    return recover_x(y, sign), y


def add(a, b):
    (x1, y1), (x2, y2) = a, b
    k = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + k, -1, P) % P
    return x, (y1 * y2 + x1 * x2) * pow(1 - k, -1, P) % P


def times(number, a):
    sum_ = (0, 1)
    while number:
        if number & 1:
            sum_ = add(sum_, a)
        a, number = add(a, a), number >> 1
    return sum_


def is_signed(public, message, signature):
    """Ed25519, RFC 8032."""
    s = int.from_bytes(signature[32:], "little")
    if s >= ORDER:
        return False
    y = 4 * pow(5, -1, P) % P
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    try:
        return times(s, (recover_x(y, 0), y)) == add(point(signature[:32]), times(k, point(public)))
    except ValueError:
        return False


def part(value):
    return struct.pack(">Q", len(value)) + value


def digest(event):
    owner = uuid.UUID(event["owner_id"]).bytes if event["owner_id"] else b""
    parts = [event["aggregate_type"].encode(), event["aggregate_id"].encode(), struct.pack(">q", event["sequence"])]
    parts += [event["event_type"].encode(), event["event_version"].encode(), uuid.UUID(event["event_id"]).bytes]
    parts += [event["payload"].encode(), event["metadata"].encode(), owner]
    return hashlib.sha256(b"".join(map(part, parts))).digest()


def chains(path):
    """The chain values by position, each recomputed."""
    chain, found = bytes(32), {0: bytes(32)}
    for number, line in enumerate(path.open(), 1):
        event = json.loads(line)
        link = struct.pack(">qq", event["position"], event["recorded_us"])
        chain = hashlib.sha256(chain + link + digest(event)).digest()
        if event["position"] != number or chain.hex() != event["chain"]:
            sys.exit(f"FAULT: the chain breaks at line {number}")
        found[number] = chain
    return found


def main(log, folder=None, key=None):
    found = chains(Path(log))
    print(f"{len(found) - 1} events, the chain is whole")
    public = bytes.fromhex(Path(key).read_text().strip()) if key else b""
    anchors = sorted(Path(folder).glob("*.anchor")) if folder else []
    for path in anchors:
        anchor = path.read_bytes()
        if len(anchor) != 130 or anchor[:2] != b"\1\1" or not is_signed(public, anchor[:66], anchor[66:]):
            sys.exit(f"FAULT: {path.name} was not signed by this log")
        (position,) = struct.unpack(">q", anchor[18:26])
        if found.get(position) != anchor[34:66]:
            sys.exit(f"FAULT: position {position} is not what {path.name} says")
    print(f"{len(anchors)} anchors hold")


main(*sys.argv[1:])
