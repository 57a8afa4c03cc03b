// The story of the example `full_duplex`: both pages see the ball move, and each other's kicks, at the same time.
// Leaves full_duplex-NAME-{ann,ben}.png.

import assert from "node:assert/strict";
import { play } from "./stage.mjs";

await play("full_duplex", async ({ open, shot }) => {
  const ready = "#state[data-state=open]";
  const [ann, ben] = [await open("light", ready), await open("dark", ready)];
  const number = async (page, id) => Number(await page.textContent(id));
  const atLeast = (page, id, count) => page.waitForFunction(
    ([id, count]) => Number(document.querySelector(id).textContent) >= count, [id, count]);

  for (const page of [ann, ben]) await page.waitForFunction(() => document.querySelector("#people").textContent === "2");
  await ann.bringToFront();
  await ann.click("#box", { position: { x: 500, y: 300 } });
  await atLeast(ben, "#kicks", 1);
  await ben.bringToFront();
  await ben.click("#box", { position: { x: 700, y: 200 } });
  await atLeast(ann, "#kicks", 2);
  assert.equal(await number(ann, "#sent"), 1);

  // It goes on meanwhile.
  const before = await number(ann, "#received");
  await atLeast(ann, "#received", before + 20);
  await shot(ann, "ann");
  await ben.click("#box", { position: { x: 300, y: 400 } });
  await atLeast(ben, "#kicks", 3);
  await shot(ben, "ben");

  // Who has gone is no longer counted.
  await ann.close();
  await ben.waitForFunction(() => document.querySelector("#people").textContent === "1");
});
