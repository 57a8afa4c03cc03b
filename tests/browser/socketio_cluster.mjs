// A server in Node and one of ours, on one Redis: whatever one of them does reaches the clients of both.
//
//   node socketio_cluster.mjs HOST:PORT REDIS [apart] [with 0.9]

import assert from "node:assert/strict";
import { createAdapter } from "@socket.io/redis-adapter";
import { Emitter } from "@socket.io/redis-emitter";
import { createClient } from "redis";
import { Server } from "socket.io";
import { io as connect } from "socket.io-client";
import legacy from "sio-0.9.17";

const [address, redis, flag, with09] = process.argv.slice(2);
const key = flag === "apart" ? "other" : "socket.io";
const TEXT = "é€😀 \u2028\n";

let chapter = "";
const timer = setTimeout(() => {
  console.error(`the story hangs: ${chapter}`);
  process.exit(1);
}, 120_000);

async function link() {
  const client = createClient({ url: redis });
  client.on("error", (error) => console.error(String(error)));
  return client.connect();
}

const options = { key, publishOnSpecificResponseChannel: flag === "apart", requestsTimeout: 20_000 };
const [publisher, subscriber] = await Promise.all([link(), link()]);
const io = new Server(0, { adapter: createAdapter(publisher, subscriber, options) });
const chat = io.of("/chat");
for (const namespace of [io.of("/"), chat]) {
  namespace.on("connection", (socket) => {
    socket.on("join", (room, done) => done(socket.join(room)));
    socket.on("name", (name, done) => done((socket.data.name = name)));
    socket.on("say", (room, text) => socket.to(room).emit("said", text));
  });
}
io.on("sum", (numbers, answer) => answer(`node ${numbers.reduce((a, b) => a + b, 0)}`));
io.on("tell", (...args) => io.local.emit("told", ...args));

// A client, and what it has heard.
class Listener {
  heard = [];
  #waiting = () => {};

  constructor(socket) {
    this.socket = socket;
    for (const name of ["news", "said", "told", "disconnect"]) {
      socket.on(name, (...args) => {
        this.heard.push([name, ...args]);
        this.#waiting();
      });
    }
    socket.on("question", (question, answer) => answer({ [this.name]: question }));
  }

  static async join(name, server, namespace = "/") {
    const socket = connect(`http://${server}${namespace}`, {
      transports: ["websocket"], forceNew: true, reconnection: false, auth: { token: name },
    });
    const listener = new Listener(socket);
    listener.name = name;
    await new Promise((resolve) => socket.once("connect", resolve));
    await socket.emitWithAck("name", name);
    return listener;
  }

  // What it hears until `last`, which is the text of some news.
  async until(last) {
    const is = ([, ...args]) => args.includes(last);
    while (!this.heard.some(is)) await new Promise((resolve) => { this.#waiting = resolve; });
    return this.heard.splice(0, this.heard.findIndex(is) + 1);
  }
}

const here = `localhost:${io.httpServer.address().port}`;
const ours = connect(`http://${address}/control`, { transports: ["websocket"] });
const order = async (name, ...args) => {
  const answer = await ours.timeout(20_000).emitWithAck(name, ...args);
  return answer;
};

// What both servers can be told to do.
const select = (to, except, all = io) => {
  const targets = to.length ? all.to(to) : all;
  return except.length ? targets.except(except) : targets;
};
const greenwire = {
  emit: (to, except, text) => order("emit", to, except, text),
  emitBytes: (to, except) => order("emit bytes", to, except, null),
  emitInChat: (to, except, text) => order("emit in chat", to, except, text),
  ask: (to, except, question) => order("ask", to, except, question),
  fetch: (to, except) => order("fetch", to, except, null),
  join: (to, except, room) => order("join", to, except, room),
  leave: (to, except, room) => order("leave", to, except, room),
  disconnect: (to, except) => order("put out", to, except, null),
  tellServers: (...args) => order("tell servers", ...args),
  askServers: (numbers) => order("ask servers", numbers),
};
// In Node even its own clients join a room only when Redis has passed it on.
async function members(room, count) {
  while ((await io.in(room).fetchSockets()).length !== count);
}
const node = {
  emit: (to, except, text) => select(to, except).emit("news", text),
  emitBytes: (to, except) => select(to, except).emit("news", "picture", Buffer.from([1, 2, 255])),
  emitInChat: (to, except, text) => select(to, except, chat).emit("news", text),
  ask: (to, except, question) => select(to, except).timeout(20_000).emitWithAck("question", question),
  fetch: async (to, except) => (await select(to, except).fetchSockets())
    .map(({ id, rooms, data, handshake }) => ({ id, rooms: [...rooms], data, auth: handshake.auth })),
  join: (to, except, room) => {
    select(to, except).socketsJoin(room);
    return members(room, 2);
  },
  leave: (to, except, room) => {
    select(to, except).socketsLeave(room);
    return members(room, 0);
  },
  disconnect: (to, except) => select(to, except).disconnectSockets(),
  tellServers: (...args) => io.serverSideEmit("tell", ...args),
  askServers: (numbers) => io.serverSideEmitWithAck("sum", numbers),
};

// Until both know of each other.
chapter = "meeting";
while (await publisher.sendCommand(["PUBSUB", "NUMSUB", `${key}-request#/chat#`]).then(([, n]) => n < 2)) {
  await new Promise((resolve) => setTimeout(resolve, 5));
}
while (await publisher.sendCommand(["PUBSUB", "NUMSUB", `${key}-request#/#`]).then(([, n]) => n < 2)) {
  await new Promise((resolve) => setTimeout(resolve, 5));
}

for (const [name, server] of Object.entries({ greenwire, node })) {
  // Ann and Cid are at ours, Ben is at Node's; Ann and Ben are in a room.
  chapter = `${name}: clients`;
  const [ann, ben, cid] = await Promise.all([
    Listener.join("Ann", address), Listener.join("Ben", here), Listener.join("Cid", address),
  ]);
  const all = [ann, ben, cid];
  for (const listener of [ann, ben]) await listener.socket.emitWithAck("join", "red");

  chapter = `${name}: broadcasts`;
  await server.emit([], [], TEXT);
  for (const listener of all) assert.deepEqual(await listener.until(TEXT), [["news", TEXT]]);
  await server.emitBytes([], []);
  for (const listener of all) {
    const [[, , bytes]] = await listener.until("picture");
    assert.deepEqual([...bytes], [1, 2, 255]);
  }
  await server.emit(["red"], [], "for red");
  await server.emit(["red", "nowhere"], [], "for red too");
  await server.emit([], ["red"], "not for red");
  await server.emit([ben.socket.id], [], "for Ben");
  await server.emit([ann.socket.id, "nowhere"], [], "for Ann");
  await server.emit([], [], "end");
  const news = ([name]) => name === "news";
  const heard = async (listener) => (await listener.until("end")).filter(news).map(([, text]) => text);
  assert.deepEqual(await heard(ann), ["for red", "for red too", "for Ann", "end"]);
  assert.deepEqual(await heard(ben), ["for red", "for red too", "for Ben", "end"]);
  assert.deepEqual(await heard(cid), ["not for red", "end"]);
  ann.socket.emit("say", "red", "hello");
  assert.deepEqual(await ben.until("hello"), [["said", "hello"]]);
  ben.socket.emit("say", "red", "hello, Ann");
  assert.deepEqual(await ann.until("hello, Ann"), [["said", "hello, Ann"]]);

  chapter = `${name}: answers`;
  const answers = async (to, except) => (await server.ask(to, except, "?")).map((it) => Object.keys(it)[0]).sort();
  assert.deepEqual(await answers([], []), ["Ann", "Ben", "Cid"]);
  assert.deepEqual(await answers(["red"], []), ["Ann", "Ben"]);
  assert.deepEqual(await answers(["nowhere"], []), []);

  chapter = `${name}: sockets`;
  const fetched = await server.fetch([], []);
  const ids = (sockets) => sockets.map(({ id }) => id).sort();
  assert.deepEqual(ids(fetched), ids(all.map(({ socket }) => socket)));
  for (const { id, rooms, data, auth } of fetched) {
    const listener = all.find(({ socket }) => socket.id === id);
    assert.deepEqual(data, { name: listener.name });
    assert.deepEqual(auth, { token: listener.name });
    assert.deepEqual(rooms.sort(), listener === cid ? [id] : [id, "red"].sort());
  }
  assert.deepEqual(ids(await server.fetch(["red"], [ann.socket.id])), [ben.socket.id]);

  if (server === node) {
    const rooms = [...await io.of("/").adapter.allRooms()];
    assert.deepEqual(rooms.sort(), ["red", ...all.map(({ socket }) => socket.id)].sort());
  }

  chapter = `${name}: rooms from afar`;
  await server.join(["red"], [], "blue");
  await server.emit(["blue"], [], "for blue");
  for (const listener of [ann, ben]) await listener.until("for blue");
  await server.leave([], [], "blue");
  await server.emit(["blue"], [], "for nobody");
  await server.emit([], [], "end");
  for (const listener of all) assert.deepEqual(await heard(listener), ["end"]);

  chapter = `${name}: servers`;
  await server.tellServers("x", { z: 1, a: [TEXT] });
  const other = server === node ? ann : ben;
  assert.deepEqual(await other.until("x"), [["told", "x", { z: 1, a: [TEXT] }]]);
  const sum = server === node ? "greenwire 6" : "node 6";
  assert.deepEqual(await server.askServers([1, 2, 3]), [sum]);

  chapter = `${name}: namespaces`;
  const others = await Promise.all([
    Listener.join("Dan", address, "/chat"), Listener.join("Eve", here, "/chat"),
  ]);
  await server.emitInChat([], [], "in chat");
  await server.emit([], [], "end");
  for (const listener of others) await listener.until("in chat");
  for (const listener of all) assert.deepEqual(await heard(listener), ["end"]);
  for (const listener of others) listener.socket.close();

  chapter = `${name}: an emitter`;
  const emitter = new Emitter(publisher, { key });
  if (server === node) {
    emitter.emit("news", "emitted");
    emitter.to("red").emit("news", "emitted in red", Buffer.from([7]));
    emitter.to("red").socketsJoin("blue");
    emitter.to("blue").except("red").emit("news", "nobody");
    emitter.to("blue").emit("news", "emitted in blue");
    emitter.to("red").socketsLeave("blue");
    emitter.serverSideEmit("tell", "emitted");
  } else {
    await order("emitter", "emitted");
  }
  for (const listener of [ann, ben]) {
    assert.deepEqual(await listener.until("emitted"), [["news", "emitted"]]);
    const [[, , bytes]] = await listener.until("emitted in red");
    assert.deepEqual([...bytes], [7]);
    assert.deepEqual(await listener.until("emitted in blue"), [["news", "emitted in blue"]]);
    assert.deepEqual(await listener.until("emitted"), [["told", "emitted"]]);
  }

  if (with09 === "with 0.9") {
    chapter = `${name}: a client of 0.9`;
    legacy.transports = ["websocket"];
    const old = legacy.connect(`http://${address}`, { "force new connection": true });
    const said = new Promise((resolve) => old.on("news", resolve));
    await new Promise((resolve) => old.on("connect", resolve));
    await new Promise((resolve) => old.emit("join", "red", resolve));
    await server.emit(["red"], [], TEXT);
    assert.equal(await said, TEXT);
    old.disconnect();
  }

  chapter = `${name}: disconnecting`;
  await server.disconnect(["red"], []);
  const cut = "io server disconnect";
  for (const listener of [ann, ben]) assert.equal((await listener.until(cut)).at(-1)[0], "disconnect");
  await server.emit([], [], "end");
  assert.equal((await heard(cid)).at(-1), "end");
  cid.socket.close();
}

clearTimeout(timer);
process.exit(0);
