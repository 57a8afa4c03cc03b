// The story of examples/complete_stack: two people vote, each in a process of its own, and see both votes. The further
// argument is the address of the second process. Leaves complete_stack-NAME-{ann,ben}.png.

import assert from "node:assert/strict";
import { play } from "./stage.mjs";

const other = process.argv[6];

await play("complete_stack", async ({ open, shot }) => {
  const ready = "#state[data-state=open]";
  const [ann, ben] = [await open("light", ready), await open("dark", ready, other)];
  const vote = async (page, name) => {
    const before = await page.textContent("#total");
    await page.locator("#choices button").filter({ hasText: name }).click();
    const changed = (total) => document.querySelector("#total").textContent === total;
    for (const listener of [ann, ben]) await listener.waitForFunction(changed, String(Number(before) + 1));
  };
  for (const name of ["Cherry pie", "Lemonade", "Cherry pie", "A kite", "Cherry pie", "Potato salad", "Lemonade"]) {
    await vote(ann, name);
    await vote(ben, name);
  }
  for (const page of [ann, ben]) {
    assert.equal(await page.textContent("#total"), "14");
    assert.match(await page.locator("#choices li.leads").textContent(), /Cherry pie6/);
    assert.equal(await page.textContent("#transport"), "websocket");
  }
  // Who comes late sees what the database has.
  const late = await open("light", ready);
  assert.equal(await late.textContent("#total"), "14");
  assert.equal((await late.request.post(new URL("vote/99", late.url()).href)).status(), 502);
  await ann.waitForTimeout(600); // until the bars have grown, for the pictures only
  await shot(ann, "ann");
  await shot(ben, "ben");
});
