// The story of the example `socketio_chat`: nicknames, rooms, and answers. Leaves socketio_chat-NAME-{ann,ben}.png.

import assert from "node:assert/strict";
import { play } from "./stage.mjs";

await play("socketio_chat", async ({ open, shot }) => {
  const ready = "#state[data-state=open]";
  const [ann, ben] = [await open("light", ready), await open("dark", ready)];
  const choose = async (page, name) => {
    await page.fill("#nickname", name);
    await page.click("#choose button");
  };
  const say = async (page, text) => {
    await page.fill("#text", text);
    await page.press("#text", "Enter");
  };
  const line = (page, text) => page.waitForFunction(
    (text) => [...document.querySelectorAll("#lines li")].some((item) => item.lastChild.textContent === text), text);
  const here = (page, names) => page.waitForFunction(
    (names) => [...document.querySelectorAll("#people li")].map((item) => item.textContent).join() === names, names);

  await choose(ann, "Ann");
  await here(ann, "Ann");
  await choose(ben, "Ann");
  await ben.getByText("Ann is here already.").waitFor();
  await choose(ben, "Ben");
  await line(ann, "Ben has joined");
  for (const page of [ann, ben]) await here(page, "Ann,Ben");

  await say(ann, "Hello <b>Ben</b> 😀");
  await line(ben, "Hello <b>Ben</b> 😀");
  await say(ben, "Hi! Is it true that every handler here may simply wait?");
  await line(ann, "Hi! Is it true that every handler here may simply wait?");
  await say(ann, "Yes. No callbacks, no async: one green thread for what I say.");
  await line(ben, "Yes. No callbacks, no async: one green thread for what I say.");
  await ann.waitForFunction(() => !document.querySelector("#lines .waiting"), null);
  await shot(ann, "ann");

  await ben.getByRole("button", { name: "# rust" }).click();
  await line(ann, "Ben has left");
  await here(ben, "Ben");
  await say(ann, "Nobody hears this");
  await ann.getByRole("button", { name: "# rust" }).click();
  await line(ben, "Ann has joined");
  await say(ann, "There you are");
  await line(ben, "There you are");
  assert.equal(await ben.getByText("Nobody hears this").count(), 0);
  await shot(ben, "ben");
  await ann.close();
  await line(ben, "Ann has left");
  await here(ben, "Ben");
});
