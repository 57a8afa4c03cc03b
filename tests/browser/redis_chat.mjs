// The story of the example `redis_chat`: pages of two processes, and one that comes later and sees what was said before.
// Its further argument is the address of the second process. Leaves redis_chat-NAME-{ann,late}.png.

import assert from "node:assert/strict";
import { play } from "./stage.mjs";

const other = process.argv[6];

await play("redis_chat", async ({ open, shot }) => {
  const ready = "#state[data-state=open]";
  const [ann, ben] = [await open("light", ready), await open("dark", ready, other)];
  const lines = [
    [ann, "Ann", "Which process are you on?"],
    [ben, "Ben", "Another one. Redis stands between us."],
    [ann, "Ann", "And if both end?"],
    [ben, "Ben", "<b>It</b> will remember."],
  ];
  for (const [page, name, text] of lines) {
    await page.fill("#name", name);
    await page.fill("#text", text);
    await page.press("#text", "Enter");
    for (const listener of [ann, ben]) await listener.locator("#log li").filter({ hasText: text }).waitFor();
  }
  for (const page of [ann, ben]) assert.equal(await page.locator("#log li").count(), lines.length);
  const late = await open("dark", "#log li:nth-child(4)");
  assert.equal(await late.locator("#log li.old").count(), lines.length);
  await shot(ann, "ann");
  await shot(late, "late");
});
