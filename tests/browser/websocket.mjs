// The story of tests/websocket_clients.rs in a headless Chromium.
//
//   node websocket.mjs HOST:PORT BROWSER

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [address, browser] = process.argv.slice(2);
const profile = mkdtempSync(join(tmpdir(), "greenwire-browser-"));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: execFileSync("which", [browser], { encoding: "utf8" }).trim(),
  headless: true,
  args: [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
  ],
});
context.setDefaultTimeout(20_000);

try {
  const page = await context.newPage();
  await page.goto(`http://${address}/`);
  for (const path of ["plain", "shared", "dedicated"]) {
    const seen = await page.evaluate(talk, `ws://${address}/${path}`);
    assert.deepEqual(seen, {
      protocol: "echo",
      extensions: path === "plain" ? "" : "permessage-deflate",
      texts: [0, 1, 125, 126, 65_535, 65_536, 300_000],
      bytes: [0, 1, 125, 126, 65_535, 65_536, 300_000],
      close: { code: 4001, reason: "as you wish", wasClean: true },
    });
  }

  // A page of elsewhere may not connect.
  const stranger = await context.newPage();
  await stranger.goto("data:text/html,<title>elsewhere</title>");
  const refused = await stranger.evaluate((url) => new Promise((resolve) => {
    const ws = new WebSocket(url);
    ws.onopen = () => resolve("open");
    ws.onclose = (event) => resolve(event.code);
  }), `ws://${address}/plain`);
  assert.equal(refused, 1006);
} finally {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
}

// Runs in the page: sends messages of several lengths, notes which came back whole.
async function talk(url) {
  const ws = new WebSocket(url, ["other", "echo"]);
  ws.binaryType = "arraybuffer";
  const event = (name) => new Promise((resolve, reject) => {
    ws.addEventListener(name, resolve, { once: true });
    ws.addEventListener("error", () => reject(new Error(`no ${name}`)), { once: true });
  });
  await event("open");
  const [texts, bytes] = [[], []];
  for (const size of [0, 1, 125, 126, 65_535, 65_536, 300_000]) {
    const text = "ä".repeat(size);
    ws.send(text);
    if ((await event("message")).data === text) texts.push(size);
    const sent = Uint8Array.from({ length: size }, (_, i) => (i * i) >> 3);
    ws.send(sent);
    const got = new Uint8Array((await event("message")).data);
    if (got.length === size && got.every((byte, i) => byte === sent[i])) bytes.push(size);
  }
  ws.send("ping");
  ws.send("close");
  const { code, reason, wasClean } = await event("close");
  const { protocol } = ws;
  const extensions = ws.extensions.split(";")[0];
  return { protocol, extensions, texts, bytes, close: { code, reason, wasClean } };
}
