// The story of the example `webchat`: two pages chat, a third shows the green threads that wait meanwhile. Leaves
// webchat-NAME-{ann,ben,threads,dark}.png.

import assert from "node:assert/strict";
import { play } from "./stage.mjs";

await play("webchat", async ({ open, shot }) => {
  const ready = "#state[data-state=open]";
  const ann = await open("light", ready);
  const ben = await open("dark", ready);
  const say = async (page, who, text) => {
    await page.fill("#name", who);
    await page.fill("#text", text);
    await page.press("#text", "Enter");
  };

  // Each line is seen once by both, as it was written.
  await say(ann, "Ann", "Shall we meet at <b>three</b>?");
  await ben.waitForSelector("#log li:has-text('<b>three</b>')");
  await say(ben, "Ben", "Make it half past.");
  await ann.waitForSelector("#log li:has-text('half past')");
  await say(ann, "Ann", "Fine. I bring the cake, and you the tea.");
  for (const page of [ann, ben]) await page.waitForSelector("#log li:has-text('the cake')");
  for (const page of [ann, ben]) assert.equal(await page.locator("#log li").count(), 3, "each line is seen once");
  assert.equal(await ann.locator("#log li.mine").count(), 2);
  await shot(ann, "ann");
  await shot(ben, "ben");

  // Both of them wait now, alike, for the same condition.
  const threads = await open("light", "#threads tr.thread", "debug/green");
  const row = threads.locator("tr.thread:has-text('condition')");
  await row.getByText("× 2").waitFor();
  await row.click();
  await threads.waitForSelector("tr.stack pre:has-text('webchat')");
  await shot(threads, "threads");

  // One line each, found by what they wait for.
  await threads.click("#alike");
  await threads.fill("#filter", "condition");
  await threads.waitForFunction(() => document.querySelectorAll("tr.thread").length === 2);
  // Sorting by worker and back keeps them; hiding what is parked hides them.
  await threads.click("th[data-key=worker]");
  assert.equal(await threads.getAttribute("th[data-key=worker]", "aria-sort"), "descending");
  await threads.click("button[data-state=parked]");
  assert.equal(await threads.locator("tr.thread").count(), 0);
  await threads.click("button[data-state=parked]");
  await threads.emulateMedia({ colorScheme: "dark" });
  await shot(threads, "dark");
});
