// Node: its own net and http, and the packages ws and socket.io; one event loop on one thread.
//
// Started as all measured servers are: server.js SERVICE --port P --workers N [--reuse-port]

import { createRequire } from "node:module";
import http from "node:http";
import net from "node:net";
import { parseArgs } from "node:util";
import { WebSocket, WebSocketServer } from "ws";

/// As long as the system permits.
const BACKLOG = 2 ** 31 - 1;

function tcpEcho() {
  const server = net.createServer({ noDelay: true }, (stream) => {
    stream.on("error", () => stream.destroy());
    stream.pipe(stream);
  });
  return server;
}

function plainHttp() {
  return http.createServer({ noDelay: true }, (request, response) => {
    switch (request.url) {
      case "/plaintext":
        return hello(response);
      case "/json":
        return send(response, "application/json", JSON.stringify({ message: "Hello, World!" }));
      case "/wait":
        return setTimeout(hello, 10, response);
      case "/compute":
        compute();
        return hello(response);
      default:
        response.writeHead(404, { "Content-Length": 0 });
        return response.end();
    }
  });
}

function hello(response) {
  send(response, "text/plain", "Hello, World!");
}

function send(response, type, body) {
  response.writeHead(200, { "Content-Type": type, "Content-Length": Buffer.byteLength(body) });
  response.end(body);
}

function compute() {
  const end = performance.now() + 50;
  while (performance.now() < end);
}

// Runs `handle(websocket, path)` for each connection.
function websocket(handle) {
  const server = http.createServer({ noDelay: true });
  const websockets = new WebSocketServer({ server });
  websockets.on("connection", (socket, request) => {
    socket.on("error", () => socket.terminate());
    handle(socket, request.url);
  });
  return server;
}

function echo(socket) {
  socket.on("message", (message, isBinary) => socket.send(message, { binary: isBinary }));
}

function broadcast() {
  const feeds = new Set();
  return (socket, path) => {
    if (path === "/publish") {
      socket.on("message", (message, isBinary) => {
        for (const feed of feeds) {
          if (feed.readyState === WebSocket.OPEN) feed.send(message, { binary: isBinary });
        }
      });
    } else {
      feeds.add(socket);
      socket.on("close", () => feeds.delete(socket));
    }
  };
}

async function socketIo() {
  // Here, so that the other services do without the memory that it takes.
  const { Server } = await import("socket.io");
  const server = http.createServer({ noDelay: true });
  const io = new Server(server);
  io.on("connection", (socket) => {
    socket.join("all");
    socket.on("echo", (argument, answer) => answer(argument));
    socket.on("say", (argument) => io.to("all").emit("said", argument));
    socket.emit("ready");
  });
  return server;
}

const SERVICES = {
  "tcp-echo": tcpEcho,
  http: plainHttp,
  "websocket-echo": () => websocket(echo),
  broadcast: () => websocket(broadcast()),
  "socket.io": socketIo,
};

function usage(text) {
  console.error(text);
  process.exit(2);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    port: { type: "string", default: "0" },
    workers: { type: "string", default: "1" }, // ignored: there is one thread
    "reuse-port": { type: "boolean", default: false },
    version: { type: "boolean", default: false },
  },
});
if (values.version) {
  const require = createRequire(import.meta.url);
  const version = (name) => `${name} ${require(`${name}/package.json`).version}`;
  console.log(`${version("ws")}, ${version("socket.io")}, Node ${process.versions.node}`);
  process.exit(0);
}
const [major, minor] = process.versions.node.split(".").map(Number);
if (values["reuse-port"] && (major < 22 || (major === 22 && minor < 12))) {
  usage("this Node cannot share a port: that came with 22.12");
}
const service = SERVICES[positionals[0]];
if (!service) usage(`which service? ${Object.keys(SERVICES).join(", ")}`);
const server = await service();
server.on("error", (error) => {
  console.error(`${error}`);
  process.exit(1);
});
const where = {
  host: "127.0.0.1",
  port: Number(values.port),
  backlog: BACKLOG,
  reusePort: values["reuse-port"],
};
server.listen(where, () => console.log(`listening on 127.0.0.1:${server.address().port}`));
