// socket.io-client 0.9.17, unmodified, over each of its transports that Node has; and today's, in the same rooms.
//
//   node socketio_legacy.mjs HOST:PORT

import assert from "node:assert/strict";
import { io as modern } from "socket.io-client";
import legacy from "sio-0.9.17";

const [address] = process.argv.slice(2);
const TEXT = 'é€😀 "quoted" \u2028\n\\';
let chapter = "today's client connects";
const timer = setTimeout(() => {
  console.error(`the story hangs: ${chapter}`);
  process.exit(1);
}, 120_000);

// The next event of this name; its arguments.
const next = (socket, name) => new Promise((resolve) => {
  const heard = (...args) => {
    socket.removeListener(name, heard);
    resolve(args);
  };
  socket.on(name, heard);
});

// What the server answers.
const ask = (socket, ...event) => new Promise((resolve) => socket.emit(...event, (...answer) => resolve(answer)));

async function connect(transport, namespace = "") {
  // The option `transports` would only be merged with these.
  legacy.transports = [transport];
  const socket = legacy.connect(`http://${address}${namespace}`, { "force new connection": true });
  await next(socket, "connect");
  assert.equal(socket.socket.transport.name, transport);
  return socket;
}

const today = modern(`http://${address}`, { transports: ["websocket"], forceNew: true });
await next(today, "connect");
chapter = "today's client joins";
await ask(today, "join", "both");

for (const transport of ["websocket", "xhr-polling"]) {
  chapter = `${transport}: connecting`;
  const socket = await connect(transport);

  // Messages: text, JSON, and one whose receipt is awaited.
  chapter = `${transport}: messages`;
  let heard = next(socket, "message");
  socket.send(TEXT);
  assert.deepEqual(await heard, [TEXT]);
  heard = next(socket, "message");
  socket.json.send({ z: 1, a: [TEXT] });
  assert.deepEqual(await heard, [{ z: 1, a: [TEXT] }]);
  assert.deepEqual(await new Promise((resolve) => socket.send("x", (...args) => resolve(args))), []);

  // Events and answers, both ways.
  chapter = `${transport}: events`;
  heard = next(socket, "echoed");
  socket.emit("echo", 1, TEXT, { deep: [null, true] });
  assert.deepEqual(await heard, [1, TEXT, { deep: [null, true] }]);
  assert.deepEqual(await ask(socket, "add", 40, 2), [42]);
  socket.on("question", (text, answer) => answer(text, 3));
  heard = next(socket, "thanks");
  socket.emit("ask");
  assert.deepEqual(await heard, ["how many?", 3]);

  // Many at once arrive in order.
  chapter = `${transport}: many`;
  const lines = Array.from({ length: 200 }, (_, at) => `${at} ${TEXT}`);
  const told = [];
  const all = new Promise((resolve) => socket.on("echoed", (line) => {
    if (told.push(line) === lines.length) resolve();
  }));
  for (const line of lines) socket.emit("echo", line);
  await all;
  assert.deepEqual(told, lines);

  // A namespace on the same connection, spoken to at once.
  chapter = `${transport}: namespaces`;
  const chat = socket.socket.of("/chat");
  const joined = next(chat, "connect");
  assert.deepEqual(await ask(chat, "add", 1, 2), [3]);
  await joined;
  const closed = socket.socket.of("/closed");
  assert.deepEqual(await next(closed, "connect_failed"), ["unauthorized"]);

  // The same rooms as today's clients.
  chapter = `${transport}: rooms`;
  await ask(socket, "join", "both");
  for (const speaker of [socket, today]) {
    const both = [next(socket, "told"), next(today, "told")];
    speaker.emit("tell", "both", TEXT);
    assert.deepEqual(await Promise.all(both), [[TEXT], [TEXT]]);
  }

  // Leaving one namespace, then all.
  chapter = `${transport}: leaving`;
  heard = next(chat, "disconnect");
  chat.emit("leave me");
  await heard;
  assert.deepEqual(await ask(socket, "add", 2, 3), [5]);
  heard = next(socket, "disconnect");
  socket.emit("leave me");
  assert.deepEqual(await heard, ["booted"]);

  const other = await connect(transport);
  other.disconnect();
  assert.equal(other.socket.connected, false);
}

today.close();
clearTimeout(timer);
// Its requests that wait would keep it alive.
process.exit(0);
