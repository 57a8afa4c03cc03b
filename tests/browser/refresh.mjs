// The story of the example `refresh`: a change reaches the list that is told, and at some time the one that asks.
// Leaves refresh-NAME-{ann,ben}.png.

import assert from "node:assert/strict";
import { play } from "./stage.mjs";

await play("refresh", async ({ open, shot }) => {
  const ready = "#after li:nth-child(5)";
  const [ann, ben] = [await open("light", ready), await open("dark", ready)];
  const doing = (page, view, id, text) => page.locator(`${view} li[data-id="${id}"] span`).getByText(text).waitFor();

  await ann.selectOption('#edit li[data-id="2"] select', "at lunch");
  await ben.selectOption('#edit li[data-id="4"] select', "on the train");
  for (const page of [ann, ben]) {
    await doing(page, "#after", 2, "at lunch");
    await doing(page, "#after", 4, "on the train");
    assert.equal(await page.inputValue('#edit li[data-id="2"] select'), "at lunch");
  }
  await shot(ann, "ann");
  for (const page of [ann, ben]) await doing(page, "#before", 4, "on the train");
  const refused = await ann.request.post(new URL("users", ann.url()).href, { data: { id: 99, name: "", doing: "" } });
  assert.equal(refused.status(), 422);
  await shot(ben, "ben");
});
