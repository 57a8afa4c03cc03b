// The story of the example `sockjs_chat` in a headless Chromium: sockjs-client over each of its transports.

import assert from "node:assert/strict";
import { play } from "./stage.mjs";

const TRANSPORTS = [
  "websocket", "xhr-streaming", "eventsource", "iframe-eventsource", "htmlfile", "iframe-htmlfile",
  "xhr-polling", "iframe-xhr-polling", "jsonp-polling",
];
const TEXT = "é € 😀 \u2028\u200d \"\\ </script> <!--<script> &amp; %41";
const OPEN = "#state[data-state=open]";

await play("sockjs", async ({ open, shot }) => {
  const enter = async (name, transport, colorScheme) => {
    const page = await open(colorScheme, OPEN, `?name=${encodeURIComponent(name)}&transport=${transport}`);
    assert.equal(await page.textContent("#state"), transport || "websocket");
    return page;
  };
  const say = async (page, text) => {
    await page.fill("#text", text);
    await page.press("#text", "Enter");
  };
  const shows = (page, selector, text) => page.waitForFunction(
    ([selector, text]) => [...document.querySelectorAll(selector)].some((line) => line.textContent === text),
    [selector, text]);
  const heard = (page, text) => shows(page, "#log p", text);
  const news = (page, text) => shows(page, "#log .news", text);

  const ben = await enter("Ben", "", "dark");
  for (const transport of TRANSPORTS) {
    const name = `Ann by ${transport}`;
    const ann = await enter(name, transport, "light");
    await news(ben, `${name} is here`);
    for (const [who, page] of [["ann", ann], ["ben", ben]]) {
      const text = `${who} ${transport} ${TEXT}`;
      await say(page, text);
      await Promise.all([heard(ann, text), heard(ben, text)]);
    }
    if (transport === "xhr-polling") {
      await shot(ann, "ann");
      await shot(ben, "ben");
    }
    // A page that is closed says nothing; the server finds out.
    await ann.close();
    await news(ben, `${name} has left`);
  }

  // From a page of another origin, where frames and CORS are what it is about.
  const url = new URL("/chat", ben.url()).href;
  const stranger = await open("light", OPEN, url.replace("127.0.0.1", "localhost").replace("/chat", "/"));
  for (const transport of TRANSPORTS.filter((name) => name !== "htmlfile")) {
    const text = `from elsewhere by ${transport}`;
    assert.equal(await stranger.evaluate(visit, [url, transport, text]), transport);
    await heard(ben, text);
  }
}, /^document\.domain mutation is ignored/); // which the protocol's own pages try

// Runs in the page: says one thing and hears it, and gives the transport.
async function visit([url, wanted, text]) {
  const socket = new SockJS(url, null, { transports: [wanted] });
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onclose = (event) => reject(new Error(`${wanted}: ${event.code} ${event.reason}`));
  });
  const heard = new Promise((resolve) => {
    socket.onmessage = ({ data }) => JSON.parse(data).said?.text === text && resolve();
  });
  socket.send(JSON.stringify({ join: wanted }));
  socket.send(JSON.stringify({ say: text }));
  await heard;
  const { transport } = socket;
  socket.close();
  return transport;
}
