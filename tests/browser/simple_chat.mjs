// The story of the example `simple_chat`: two people with nicknames, and a third who wants one that is taken. Leaves
// simple_chat-NAME-{ann,ben}.png.

import assert from "node:assert/strict";
import { play } from "./stage.mjs";

await play("simple_chat", async ({ open, shot }) => {
  const ready = "#state[data-state=open]";
  const enter = async (page, nickname) => {
    await page.fill("#nickname", nickname);
    await page.press("#nickname", "Enter");
  };
  const say = async (page, text) => {
    await page.fill("#text", text);
    await page.press("#text", "Enter");
  };
  const hears = (page, text) => page.locator("#log li").filter({ hasText: text }).waitFor();

  const [ann, ben] = [await open("light", ready), await open("dark", ready)];
  await enter(ann, "Ann");
  await hears(ben, "Ann has connected");
  await enter(ben, "Ben");
  for (const page of [ann, ben]) await page.waitForSelector("#nicknames li:nth-child(2)");
  await say(ann, "Is there <b>anything</b> simpler?");
  await hears(ben, "Is there <b>anything</b> simpler?");
  await say(ben, "An echo.");
  await hears(ann, "An echo.");
  assert.equal(await ben.locator("#log li").filter({ hasText: "An echo." }).count(), 1, "nobody is told what they said");

  const other = await open("light", ready);
  await enter(other, "Ann");
  await other.locator("#note").getByText("Somebody else").waitFor();
  await enter(other, "Cleo");
  await hears(ann, "Cleo has connected");
  await other.close();
  await hears(ann, "Cleo has disconnected");
  await shot(ann, "ann");
  await shot(ben, "ben");
});
