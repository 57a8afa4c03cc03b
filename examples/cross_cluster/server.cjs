// The other server of the example: what people can do, in Node. See main.rs.
//
//   node server.cjs [PORT] [REDIS]

const { readFileSync } = require("node:fs");
const { createServer } = require("node:http");
const { join } = require("node:path");
const { createAdapter } = require("@socket.io/redis-adapter");
const { createClient } = require("redis");
const { Server } = require("socket.io");

const [port = "8081", redis = "redis://127.0.0.1/"] = process.argv.slice(2);
const SERVER = "Node";
const SIDES = ["red", "blue"];

const page = readFileSync(join(__dirname, "index.html"), "utf8")
  .replace("{{client}}", "socket.io/socket.io.min.js")
  .replaceAll("{{server}}", SERVER);

async function main() {
  const publisher = createClient({ url: redis });
  const subscriber = publisher.duplicate();
  for (const client of [publisher, subscriber]) client.on("error", (error) => console.error(String(error)));
  await Promise.all([publisher.connect(), subscriber.connect()]);

  const server = createServer((request, response) => {
    const found = request.url.split("?")[0] === "/";
    response.writeHead(found ? 200 : 404, { "content-type": "text/html; charset=utf-8" });
    response.end(found ? page : "there is only /");
  });
  const io = new Server(server, { adapter: createAdapter(publisher, subscriber) });
  const describe = () => ({ server: SERVER, process: process.pid, people: io.of("/").sockets.size });
  io.on("servers", (answer) => answer(describe()));

  io.use((socket, next) => {
    const name = String(socket.handshake.auth.name ?? "").trim();
    const fits = name && Buffer.byteLength(name) <= 24;
    Object.assign(socket.data, { name, server: SERVER });
    next(fits ? undefined : new Error("a name has 1 to 24 bytes"));
  });
  io.on("connection", (socket) => {
    io.emit("changed");
    socket.on("disconnect", () => io.emit("changed"));
    socket.on("side", (side) => {
      SIDES.forEach((each) => socket.leave(each));
      if (SIDES.includes(side)) socket.join(side);
      socket.data.side = side;
      io.emit("changed");
    });
    socket.on("say", (text, toSide) => {
      if (typeof text !== "string" || !text.trim() || Buffer.byteLength(text) > 1000) return;
      const side = toSide ? socket.data.side : null;
      (side ? io.to(side) : io).emit("said", { name: socket.data.name, server: SERVER, text, side });
    });
    socket.on("people", async (answer) => {
      const sockets = await io.fetchSockets();
      answer(sockets.map(({ id, data }) => ({ id, name: data.name, server: data.server, side: data.side })));
    });
    socket.on("roll call", (answer) => {
      io.timeout(3000).emit("are you there?", (_late, answers) => answer(answers));
    });
    socket.on("servers", async (answer) => answer([describe(), ...await io.serverSideEmitWithAck("servers")]));
  });

  server.listen(Number(port), "127.0.0.1", () => console.log(`open http://127.0.0.1:${server.address().port}/`));
}

main();
