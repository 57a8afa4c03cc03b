// The story of realtime/tests/socketio/clients.rs for socket.io-client in Node: many versions, over each transport.
//
//   node socketio_node.mjs URL URL      the second is of a server to which clients may come back

import assert from "node:assert/strict";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const [url, returning] = process.argv.slice(2);
const VERSIONS = {
  "3.0.0": "sio-300",
  "3.1.3": "sio-313",
  "4.0.0": "sio-400",
  "4.5.4": "sio-454",
  "4.7.5": "sio-475",
  "4.8.4": "socket.io-client",
};
const MODES = {
  polling: ["polling"],
  websocket: ["websocket"],
  upgrade: ["polling", "websocket"],
  "websocket-first": ["websocket", "polling"],
};
const TEXT = "é € 😀 \u2028\u200d \"\\ </script> \u0001\u007f\ufeff\x1e";
const steps = new Map();
setTimeout(() => assert.fail(`it takes too long: ${JSON.stringify([...steps])}`), 60_000);

const event = (socket, name) => new Promise((resolve) => socket.once(name, (...args) => resolve(args)));
const ask = (socket, name, ...args) => new Promise((resolve) => socket.emit(name, ...args, (...answer) => resolve(answer)));

async function connect(io, transports, namespace = "", options = {}) {
  const socket = io((namespace ? url : returning) + namespace, { transports, forceNew: true, reconnection: false, ...options });
  await new Promise((resolve, reject) => {
    socket.on("connect", resolve);
    socket.on("connect_error", reject);
  });
  return socket;
}

async function story(version, mode) {
  const { io } = require(VERSIONS[version]);
  const transports = MODES[mode];
  const who = `${version} over ${mode}`;
  const room = `room of ${who}`;
  const step = (name) => steps.set(who, name);
  step("connecting");
  const ann = await connect(io, transports, "/", { auth: { token: "abc" }, query: { name: who } });
  const ben = await connect(io, transports, "/");
  assert.notEqual(ann.id, ann.io.engine.id, "the name of the session is a secret");
  if (mode === "upgrade") {
    while (ann.io.engine.transport.name !== "websocket") await event(ann.io.engine, "upgrade");
  }

  step("events");
  assert.deepEqual(await ask(ann, "whoami"), [{ token: "abc" }, who, ann.id]);
  const values = [1, -1.5, "2", { 3: [true, null] }, [], TEXT];
  assert.deepEqual(await ask(ann, "echo", ...values), values);
  assert.deepEqual(await ask(ann, "echo"), []);
  const bytes = Buffer.from([0, 1, 2, 255]);
  assert.deepEqual(await ask(ann, "echo", bytes, { deep: [bytes] }), [bytes, { deep: [bytes] }]);
  assert.deepEqual(await ask(ann, "reverse", bytes), [Buffer.from([255, 2, 1, 0])]);
  const long = "x".repeat(200_000);
  assert.deepEqual(await ask(ann, "echo", long), [long]);

  step("questions");
  // The server asks, in the middle of a handler, and waits for the answer.
  ann.on("question", (number, answer) => answer(number * 2));
  assert.deepEqual(await ask(ann, "ask me", 21), [42]);

  step("order");
  // Many at once are handled, and arrive, in order.
  const numbers = Array.from({ length: 200 }, (_, i) => i);
  const came = [];
  const all = new Promise((resolve) => ann.on("number", (number) => {
    if (came.push(number) === numbers.length) resolve();
  }));
  numbers.forEach((number) => ann.emit("number", number));
  await all;
  assert.deepEqual(came, numbers);

  step("rooms");
  await ask(ann, "join", room);
  await ask(ben, "join", room);
  const heard = event(ben, "told");
  ann.on("told", () => assert.fail("who tells is not told"));
  ann.emit("tell", room, TEXT, bytes);
  assert.deepEqual(await heard, [TEXT, bytes]);
  ben.on("question", (number, answer) => answer(number + 1));
  const answers = await ask(ann, "ask all", room, 10);
  assert.deepEqual(answers[0].sort(), [11, 20]);
  assert.deepEqual(await ask(ann, "who is in", room), [[ann.id, ben.id].sort()]);

  step("namespaces");
  // All on the same connection.
  const game = ann.io.socket("/game-7");
  const welcome = event(game, "welcome");
  assert.deepEqual(await welcome, ["/game-7"]);
  const refused = ann.io.socket("/no");
  const refusal = event(refused, "connect_error");
  const [error] = await refusal;
  assert.equal(error.message, "Auth failed (custom namespace)");
  assert.deepEqual(error.data, { code: 7 });
  const nowhere = ann.io.socket("/nowhere");
  const nothing = event(nowhere, "connect_error");
  assert.equal((await nothing)[0].message, "Invalid namespace");

  step("ends");
  const gone = event(game, "disconnect");
  game.emit("kick me");
  assert.equal((await gone)[0], "io server disconnect");
  const left = event(ann, "left");
  ben.disconnect();
  assert.deepEqual(await left, ["client namespace disconnect"]);
  ann.disconnect();
  steps.delete(who);
}

// A client that loses its connection comes back as who it was, and has missed nothing.
async function recovery(version, mode) {
  const { io } = require(VERSIONS[version]);
  const transports = MODES[mode];
  steps.set(mode, "coming back");
  const options = { reconnection: true, reconnectionDelay: 10 };
  const ann = await connect(io, transports, "", options);
  const ben = await connect(io, transports, "");
  const heard = [];
  ann.on("count", (number) => heard.push(number));
  assert.deepEqual(await ask(ann, "join", "counting"), []);
  ben.emit("count", 1);
  while (heard.length < 1) await event(ann, "count");
  const id = ann.id;
  const back = event(ann, "connect");
  ann.io.engine.close();
  for (const number of [2, 3, 4]) await ask(ben, "count", number);
  await back;
  assert.equal(ann.recovered, true);
  assert.equal(ann.id, id);
  await ask(ben, "count", 5);
  while (heard.length < 5) await event(ann, "count");
  assert.deepEqual(heard, [1, 2, 3, 4, 5]);
  ann.disconnect();
  ben.disconnect();
  steps.delete(mode);
}

for (const version of Object.keys(VERSIONS)) {
  await Promise.all(Object.keys(MODES).map((mode) => story(version, mode).catch((error) => {
    error.message = `${version} over ${mode}: ${error.message}`;
    throw error;
  })));
}
for (const mode of Object.keys(MODES)) await recovery("4.8.4", mode);
// Clients in namespaces that refused them keep their connections.
process.exit(0);
