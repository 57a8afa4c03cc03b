// The story of the example `relay`, played with two pages. Leaves relay-NAME-{ann,ben}.png.

import assert from "node:assert/strict";
import { play } from "./stage.mjs";

await play("relay", async ({ open, shot }) => {
  const samples = async (page) => Number(await page.textContent("#samples"));
  const atLeast = (page, count) =>
    page.waitForFunction((count) => Number(document.getElementById("samples").textContent) >= count, count);
  const picture = (page) => page.evaluate(() => document.getElementById("graph").toDataURL());

  const ann = await open("light", "#state[data-state=open]");
  const ben = await open("dark", "#state[data-state=open]");

  // The graph moves, and holds what the boxes choose.
  await atLeast(ann, 20);
  const before = await picture(ann);
  await ann.waitForFunction((before) => document.getElementById("graph").toDataURL() !== before, before);
  for (const series of ["cpu", "memory"]) {
    assert.match(await ann.textContent(`#value-${series}`), /^\d+\.\d %$/, `${series} has a value`);
  }
  await ann.check("#series-user");
  await ann.waitForFunction(() => document.getElementById("value-user").value.endsWith("%"));

  // Both see that there are two, and each line is seen by both.
  await ann.waitForFunction(() => document.getElementById("people").textContent === "2");
  const say = async (page, who, text) => {
    await page.fill("#name", who);
    await page.fill("#chat-input", text);
    await page.press("#chat-input", "Enter");
  };
  await say(ann, "Ann", "Is the build running? The CPU is rather busy.");
  await ben.waitForSelector("#chat-log li:has-text('rather busy')");
  await say(ben, "Ben", "That was me. <b>Done</b> in a minute.");
  await ann.waitForSelector("#chat-log li:has-text('<b>Done</b>')");
  assert.equal(await ann.locator("#chat-log li").count(), 2, "each line is seen once");
  await shot(ann, "ann");
  await shot(ben, "ben");

  // A rate is one page's own: ten a second there are more than one a second here.
  await ben.selectOption("#rate", "1000");
  const [slow, fast] = [await samples(ben), await samples(ann)];
  await atLeast(ben, slow + 4);
  const [few, many] = [(await samples(ben)) - slow, (await samples(ann)) - fast];
  assert.ok(many >= 2 * few, `${many} at ten a second beside ${few} at one a second`);

  // Who leaves is forgotten.
  await ben.close();
  await ann.waitForFunction(() => document.getElementById("people").textContent === "1");
});
