// The story of the example `sockjs_chat` for sockjs-client in Node.
//
//   node sockjs_node.mjs URL      of the example sockjs_chat

import assert from "node:assert/strict";
import SockJS from "sockjs-client";

const url = process.argv[2];
const TRANSPORTS = ["websocket", "xhr-streaming", "eventsource", "xhr-polling"];
const TEXT = "é € 😀 \u2028\u200d \"\\ </script> &amp; %41 \u0001\u007f\ufeff";
const timer = setTimeout(() => assert.fail("it takes too long"), 60_000);

// A client, and what it is told.
class Chatter {
  #told = [];
  #waiting = [];

  static async join(name, transport) {
    const chatter = new Chatter();
    const socket = chatter.socket = new SockJS(`${url}chat`, null, { transports: [transport] });
    chatter.closed = new Promise((resolve) => { socket.onclose = resolve; });
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      chatter.closed.then((event) => reject(new Error(`${transport}: ${event.code} ${event.reason}`)));
    });
    assert.equal(socket.transport, transport);
    socket.onmessage = ({ data }) => chatter.#take(JSON.parse(data));
    chatter.send({ join: name });
    await chatter.told(({ people }) => people?.includes(name));
    return chatter;
  }

  send(command) {
    this.socket.send(JSON.stringify(command));
  }

  // The next thing told that fits.
  told(fits) {
    const at = this.#told.findIndex(fits);
    if (at >= 0) return Promise.resolve(this.#told.splice(0, at + 1).at(-1));
    return new Promise((resolve) => this.#waiting.push({ fits, resolve }));
  }

  #take(item) {
    const waiter = this.#waiting.findIndex(({ fits }) => fits(item));
    if (waiter >= 0) this.#waiting.splice(waiter, 1)[0].resolve(item);
    else this.#told.push(item);
  }
}

const said = (text) => ({ said }) => said?.text === text;

const ben = await Chatter.join("Ben", "websocket");
for (const transport of TRANSPORTS) {
  const ann = await Chatter.join(`Ann by ${transport}`, transport);
  await ben.told(({ news }) => news === `Ann by ${transport} is here`);

  for (const [speaker, listener] of [[ann, ben], [ben, ann]]) {
    const text = `${transport} ${TEXT}`.trim();
    speaker.send({ say: text });
    const heard = await Promise.all([speaker.told(said(text)), listener.told(said(text))]);
    assert.deepEqual(heard[0], heard[1]);
  }

  // Many at once arrive in order.
  const lines = Array.from({ length: 100 }, (_, i) => `${transport} ${i}`);
  for (const line of lines) ann.send({ say: line });
  for (const line of lines) await ben.told(said(line));

  // More than one streaming response holds: the client asks again, and nothing is lost.
  const long = "x".repeat(1900);
  for (let i = 0; i < 90; i++) ben.send({ say: `${transport} ${i} ${long}` });
  for (let i = 0; i < 90; i++) await ann.told(said(`${transport} ${i} ${long}`));

  ann.socket.close();
  assert.equal((await ann.closed).wasClean, true);
  await ben.told(({ news }) => news === `Ann by ${transport} has left`);
}
ben.socket.close();
clearTimeout(timer);
