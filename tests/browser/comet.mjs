// The story of the example `comet_chat`: two people come, chat and go.
//
//   node comet.mjs URL BROWSER NAME FOLDER SHAVEET.JS    leaves FOLDER/comet-NAME-{ann,ben}.png
//
// NAME is the transport that greenwire-comet.js is asked to use, or "whatever" works. "shaveet-cors" and "shaveet-jsonp"
// load SHAVEET.JS, the original, where the page expects it.

import assert from "node:assert/strict";
import { play } from "./stage.mjs";

const [name, , original] = process.argv.slice(4);
const path = {
  "whatever": "?transports=carrierpigeon,cors", "shaveet-cors": "?classic", "shaveet-jsonp": "?classic&disableCORS=1",
}[name] ?? `?transports=${name}`;

// What shaveet.js needs of the jQuery plugin jquery.jsonp.
function jsonp() {
  let count = 0;
  const call = ({ url, success, error }) => {
    const callback = `jsonp_${++count}`;
    const script = document.createElement("script");
    window[callback] = (answer) => {
      script.remove();
      success(answer);
    };
    script.onerror = error;
    script.src = url.replace("callback=?", `callback=${callback}`);
    document.head.append(script);
  };
  window.$ = { jsonp: call };
}

async function useOriginal(page) {
  await page.addInitScript(jsonp);
  await page.route("**/static/shaveet.js*", (route) => route.fulfill({ path: original }));
}

await play("comet", async ({ open, shot }) => {
  const enter = async (scheme, who) => {
    const page = await open(scheme, "#join", path, original ? useOriginal : undefined);
    await page.fill("#name", who);
    await page.press("#name", "Enter");
    await page.waitForSelector(`#log li:has-text('${who} came in')`);
    return page;
  };
  const say = async (page, text) => {
    await page.fill("#text", text);
    await page.press("#text", "Enter");
  };
  const lines = (page) => page.locator("#log li:not(.event) p").allTextContents();
  const title = (page, text) => page.waitForFunction((text) => document.getElementById("people-title").textContent === text, text);

  const ann = await enter("light", "Ann");
  assert.equal(await ann.evaluate(() => "MutableSet" in window), Boolean(original), "the script that is meant is loaded");
  const ben = await enter("dark", "Ben");
  await ann.waitForSelector("#log li:has-text('Ben came in')");
  await title(ann, "Here: 2");
  await title(ben, "Here: 2");
  if (!original) {
    const transport = name === "whatever" ? "cors" : name;
    await ann.waitForSelector(`#state[data-state=open]:has-text('connected by ${transport}')`);
  }

  // Each line comes once, in order, to both, and as it was written.
  const said = ["Is anybody up?", "Yes. <b>Look</b> at the sky: ☄ 😀 é", "I see it!", "\"quotes\", \\ and '); alert(1)"];
  for (const [number, text] of said.entries()) {
    await say(number % 2 ? ben : ann, text);
    for (const page of [ann, ben]) await page.waitForSelector(`#log li:nth-child(n + ${number + 1}):not(.event) p`);
    for (const page of [ann, ben]) {
      await page.waitForFunction((count) => document.querySelectorAll("#log li:not(.event)").length === count, number + 1);
    }
  }
  assert.deepEqual(await lines(ann), said);
  assert.deepEqual(await lines(ben), said);

  // Many at once: none is lost, none comes twice.
  const many = Array.from({ length: 8 }, (_, number) => `quick ${number}`);
  for (const text of many) await say(ann, text);
  await ben.waitForSelector("#log li:has-text('quick 7')");
  await ben.waitForFunction(() => document.querySelectorAll("#log li:not(.event)").length === 12);
  assert.deepEqual((await lines(ben)).slice(4).sort(), many);

  await shot(ann, "ann");
  await shot(ben, "ben");

  // Listeners can be forgotten; what both scripts call by the same name.
  await ben.evaluate(() => {
    window.bulk = [];
    Shaveet.stopListening("chat-room");
    Shaveet.listenBulk("*", (messages) => window.bulk.push(...messages));
  });
  await say(ann, "Are you still there?");
  await ben.waitForFunction(() => window.bulk.length === 1);
  const [message] = await ben.evaluate(() => window.bulk);
  assert.equal(message.channelName, "chat-room");
  assert.deepEqual(message.payload, { text: "Are you still there?" });
  assert.equal(message.payload_raw, '{"text":"Are you still there?"}');
  assert.match(message.client_id, /^Ann_\d+$/);
  assert.equal((await lines(ben)).length, 12);

  // Who leaves is gone for the others.
  await ben.close({ runBeforeUnload: true });
  await ann.waitForSelector("#log li:has-text('Ben left')");
  await title(ann, "Here: 1");
});
