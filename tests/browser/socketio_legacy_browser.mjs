// socket.io-client 0.9.17, unmodified, in Chromium, over each of its transports that a browser of today has.
//
//   node socketio_legacy_browser.mjs HOST:PORT BROWSER

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chromium } from "playwright-core";

const [address, browser] = process.argv.slice(2);

let transport = "";
const timer = setTimeout(() => {
  console.error(`the story hangs: ${transport}`);
  process.exit(1);
}, 120_000);

const running = await chromium.launch({
  executablePath: execFileSync("which", [browser], { encoding: "utf8" }).trim(),
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
});
try {
  const page = await running.newPage();
  page.setDefaultTimeout(60_000);
  const problems = [];
  page.on("pageerror", (error) => problems.push(String(error)));

  for (transport of ["websocket", "xhr-polling", "jsonp-polling"]) {
    await page.goto(`http://${address}/`);
    const heard = await page.evaluate(tell, transport);
    const text = 'é€😀 "quoted" \u2028\n\\ <\/script>';
    assert.deepEqual(heard, {
      transport, message: text, echoed: [1, text, { deep: [null, true] }], sum: 42, chat: 3, thanks: ["how many?", 3],
      many: Array.from({ length: 50 }, (_, at) => at), end: "booted",
    });
  }
  assert.deepEqual(problems, []);
  clearTimeout(timer);
} finally {
  await running.close();
}

// In the page: what a client hears over one transport.
async function tell(transport) {
  const text = 'é€😀 "quoted" \u2028\n\\ <\/script>';
  const heard = {};
  io.transports = [transport];
  const socket = io.connect("", { "force new connection": true });
  const next = (on, name) => new Promise((resolve) => on.once(name, (...args) => resolve(args)));
  const ask = (on, ...event) => new Promise((resolve) => on.emit(...event, resolve));

  await next(socket, "connect");
  heard.transport = socket.socket.transport.name;
  let told = next(socket, "message");
  socket.send(text);
  [heard.message] = await told;
  told = next(socket, "echoed");
  socket.emit("echo", 1, text, { deep: [null, true] });
  heard.echoed = await told;
  heard.sum = await ask(socket, "add", 40, 2);
  const chat = socket.socket.of("/chat");
  heard.chat = await ask(chat, "add", 1, 2);
  socket.on("question", (question, answer) => answer(question, 3));
  told = next(socket, "thanks");
  socket.emit("ask");
  heard.thanks = await told;

  heard.many = [];
  const all = new Promise((resolve) => socket.on("echoed", (number) => {
    if (heard.many.push(number) === 50) resolve();
  }));
  for (let number = 0; number < 50; number++) socket.emit("echo", number);
  await all;

  told = next(socket, "disconnect");
  socket.emit("leave me");
  [heard.end] = await told;
  return heard;
}
