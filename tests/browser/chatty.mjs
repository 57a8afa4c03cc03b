// The story of the example `chatty`: two pages, each hears both. Leaves chatty-NAME-{ann,ben}.png.

import assert from "node:assert/strict";
import { play } from "./stage.mjs";

await play("chatty", async ({ open, shot }) => {
  const ready = "#state[data-state=open]";
  const [ann, ben] = [await open("light", ready), await open("dark", ready)];
  const lines = [
    [ann, "Ann", "Is this half duplex?"],
    [ben, "Ben", "It is. I wait for you, then you for me."],
    [ann, "Ann", "And <i>both at once</i>?"],
    [ben, "Ben", "That is the next example."],
  ];
  for (const [page, name, text] of lines) {
    await page.fill("#name", name);
    await page.fill("#text", text);
    await page.press("#text", "Enter");
    for (const listener of [ann, ben]) await listener.locator("#log li").filter({ hasText: text }).waitFor();
  }
  for (const page of [ann, ben]) {
    assert.equal(await page.locator("#log li").count(), lines.length, "each line is seen once");
    assert.equal(await page.locator("#log li.mine").count(), 2);
  }
  await shot(ann, "ann");
  await shot(ben, "ben");
});
