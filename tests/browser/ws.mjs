// The story of tests/websocket_clients.rs for npm's `ws`.
//
//   node ws.mjs HOST:PORT [CERTIFICATE]
//
// With a certificate to trust it is over TLS.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { WebSocket } from "ws";

const [address, certificate] = process.argv.slice(2);
const scheme = certificate ? "wss" : "ws";
const ca = certificate && readFileSync(certificate);
setTimeout(() => assert.fail("it takes too long"), 20_000).unref();

for (const path of ["plain", "shared", "dedicated"]) {
  const ws = new WebSocket(`${scheme}://${address}/${path}`, "echo", { ca, perMessageDeflate: { threshold: 1 } });
  await once(ws, "open");
  assert.equal(ws.protocol, "echo");
  assert.equal(ws.extensions, path === "plain" ? "" : "permessage-deflate");

  const receive = async () => (await once(ws, "message"))[0];
  for (const size of [0, 1, 125, 126, 65_535, 65_536, 300_000]) {
    const bytes = Buffer.from(Array.from({ length: size }, (_, i) => (i * i) >> 3));
    ws.send(bytes);
    assert.ok((await receive()).equals(bytes), `${size} bytes at /${path}`);
    ws.send("ä".repeat(size));
    assert.equal((await receive()).toString(), "ä".repeat(size));
  }

  ws.send("in ", { fin: false });
  ws.ping("between");
  const pong = once(ws, "pong");
  ws.send("fragments", { fin: true });
  assert.equal((await receive()).toString(), "in fragments");
  assert.equal((await pong)[0].toString(), "between");

  ws.send("ping");
  assert.equal((await once(ws, "ping"))[0].toString(), "are you there?");

  if (path === "plain") {
    ws.close(4000, "enough");
    assert.deepEqual(await closed(ws), [4000, ""]);
  } else {
    ws.send("close");
    assert.deepEqual(await closed(ws), [4001, "as you wish"]);
  }
}

async function closed(ws) {
  const [code, reason] = await once(ws, "close");
  return [code, reason.toString()];
}
